import { createServer } from 'node:net';
import { Aedes } from 'aedes';

// A broker in a process of its own, started by aedes.ts; prints its port and serves until it is killed.
const broker = await Aedes.createBroker({ concurrency: 1000 });
const server = createServer((socket) => {
  socket.setNoDelay(true);
  broker.handle(socket);
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  const address = server.address();
  console.log(typeof address === 'object' && address !== null ? address.port : 0);
});
