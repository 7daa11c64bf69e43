/** What we use of the package `stun` 2.1.0, which has no types of its own. */
declare module 'stun' {
  interface StunMessage {
    addAddress(address: string, port: number): void;
    addXorAddress(address: string, port: number): void;
    addError(code: number, reason: string): void;
    addUnknownAttributes(types: readonly number[]): void;
    addSoftware(software: string): void;
  }

  const stun: {
    readonly constants: {
      readonly STUN_BINDING_REQUEST: number;
      readonly STUN_BINDING_RESPONSE: number;
      readonly STUN_BINDING_ERROR_RESPONSE: number;
    };
    createMessage(type: number, transactionId: Buffer): StunMessage;
    encode(message: StunMessage): Buffer;
  };
  export default stun;
}
