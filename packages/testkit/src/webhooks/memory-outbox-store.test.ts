import { describeOutboxStore } from './describe-outbox-store.ts';
import { MemoryOutboxStore } from './memory-outbox-store.ts';

let store = new MemoryOutboxStore();

describeOutboxStore('memory', {
  async open() {
    store = new MemoryOutboxStore();
    return store;
  },
  async reopen() {
    return store;
  },
  async close() {
    await store.close();
  },
});
