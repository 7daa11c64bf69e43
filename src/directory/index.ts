export type { Directory } from './directory.js';
export { type Extension, type ExtensionOptions, extensionFrom } from './extension.js';
export { MemoryDirectory } from './memory-directory.js';
export { StoredDirectory } from './stored-directory.js';
