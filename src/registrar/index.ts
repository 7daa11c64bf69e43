export type { Binding, BindingChange, Flow, RemovalReason } from './binding.js';
export type { BindingPolicy, ExpiryPolicy } from './bindings.js';
export { type ExtensionFinder, Registrar, type RegistrarEvents, type RegistrarOptions } from './registrar.js';
