// What a browser has and jsdom has not, as far as @grafana/ui asks for it.
require('@testing-library/jest-dom');
const { TextDecoder, TextEncoder } = require('node:util');

/** Node's own would keep the process alive. */
class MessageChannel {
  port1 = { onmessage: undefined };
  port2 = { postMessage: (data) => setTimeout(() => this.port1.onmessage?.({ data })) };
}

Object.assign(globalThis, { MessageChannel, TextDecoder, TextEncoder });
if (typeof window !== 'undefined') {
  const none = () => {};
  window.matchMedia = (media) => ({ matches: false, media, addListener: none, removeListener: none, addEventListener: none, removeEventListener: none });
  window.ResizeObserver = class { observe() {} unobserve() {} disconnect() {} };
  window.IntersectionObserver = class { observe() {} unobserve() {} disconnect() {} };
  window.HTMLCanvasElement.prototype.getContext = () => ({ measureText: (text) => ({ width: 8 * text.length }) });
  window.HTMLElement.prototype.scrollIntoView = none;
  // Lists draw only what fits; without a layout nothing would.
  window.Element.prototype.getBoundingClientRect = () => ({ x: 0, y: 0, width: 400, height: 400, top: 0, left: 0, right: 400, bottom: 400, toJSON: none });
}
