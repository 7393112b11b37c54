import { createServer } from 'node:net';

/** Accepts connections and reads what comes: what an attacker costs the machine, without a server behind it. */
const server = createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', () => {});
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' ? (address?.port ?? 0) : 0}\n`);
});
process.stdin.resume().on('end', () => process.exit(0));
