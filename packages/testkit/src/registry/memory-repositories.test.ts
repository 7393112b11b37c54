import { describeRepositories } from './describe-repositories.ts';
import { MemoryRepositories } from './memory-repositories.ts';

describeRepositories('memory', {
  open: async () => new MemoryRepositories(),
  close: async () => {},
});
