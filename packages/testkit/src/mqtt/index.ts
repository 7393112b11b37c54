export { DelayedSessionStore } from './delayed-session-store.ts';
export { describeSessionStore, type SessionStoreFactory } from './describe-session-store.ts';
export { FakeTime } from './fake-time.ts';
export { MemoryStream } from './memory-stream.ts';
export { type ConnectFields, type PublishInput, RawClient, readText } from './raw-client.ts';
export {
  TEST_LISTENER,
  TestAuthenticator,
  TestBroker,
  type TestBrokerOptions,
  TestHandler,
  TestObserver,
  WHOLE_STANDARD,
} from './test-host.ts';
