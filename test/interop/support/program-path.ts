import path from 'node:path';

/** Where programs are looked for: npm puts the programs of packages first, one of which is called like Debian's `stun`. */
export const PROGRAM_PATH = [
  ...(process.env['PATH'] ?? '').split(path.delimiter).filter((dir) => !dir.includes('node_modules')),
  '/usr/sbin',
].join(path.delimiter);
