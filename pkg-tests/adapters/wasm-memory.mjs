// Keeps hold of the client's memory, whose size `wasmBytes` tells. It has to be loaded before the client.

const { Instance } = WebAssembly;
let memory;

WebAssembly.Instance = class extends Instance {
  constructor(...args) {
    super(...args);
    memory = Object.values(this.exports).find((value) => value instanceof WebAssembly.Memory) ?? memory;
  }
};

export const wasmBytes = () => memory.buffer.byteLength;
