/**
 * Part 1 of the architecture as data: what a folder of src/ may import besides itself and `base`. This is the law; a folder that is
 * not in it may not exist. `EVERYTHING` means all folders above it in this table.
 */
export const EVERYTHING = 'everything below';

export const FLOORS: Readonly<Record<string, readonly string[] | typeof EVERYTHING>> = {
  base: [],
  protocol: [],
  storage: [],
  net: [],
  mailer: ['storage'],
  dialplan: ['protocol'],
  directory: ['protocol', 'storage'],
  transport: ['protocol', 'net'],
  resolver: ['protocol', 'net'],
  nat: ['protocol', 'net'],
  media: ['protocol', 'net', 'storage'],
  transaction: ['protocol', 'transport'],
  ua: ['protocol', 'transport', 'resolver', 'transaction'],
  dialog: ['protocol', 'transaction', 'ua'],
  security: ['protocol', 'storage', 'directory', 'ua'],
  call: ['protocol', 'media', 'ua', 'dialog'],
  registrar: ['protocol', 'storage', 'directory', 'ua'],
  trunk: ['protocol', 'storage', 'resolver', 'ua'],
  presence: ['protocol', 'storage', 'ua', 'dialog'],
  ivr: ['protocol', 'media', 'storage', 'call'],
  services: ['protocol', 'ua', 'media', 'storage', 'mailer', 'dialplan', 'directory', 'call', 'presence', 'ivr'],
  tenant: [
    'protocol',
    'storage',
    'mailer',
    'directory',
    'dialplan',
    'security',
    'call',
    'registrar',
    'trunk',
    'presence',
    'services',
  ],
  observe: [
    'protocol',
    'net',
    'storage',
    'mailer',
    'transport',
    'nat',
    'media',
    'transaction',
    'ua',
    'dialog',
    'security',
    'call',
    'registrar',
    'trunk',
    'presence',
    'services',
  ],
  pbx: EVERYTHING,
  testing: EVERYTHING,
};

/** Whether a file in `from` may import a file in `to`. */
export function mayImport(from: string, to: string): boolean {
  const allowed = FLOORS[from];
  if (allowed === undefined || FLOORS[to] === undefined) return false;
  if (from === to || to === 'base') return true;
  if (allowed !== EVERYTHING) return allowed.includes(to);
  const order = Object.keys(FLOORS);
  return order.indexOf(to) < order.indexOf(from);
}
