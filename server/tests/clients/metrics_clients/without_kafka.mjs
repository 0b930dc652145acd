// The MCP server imports a Kafka client, of which npm brings no native part; its tools for metrics never use it.

import { registerHooks } from "node:module";

const STUB = "data:text/javascript," + encodeURIComponent(`
const anything = new Proxy(class {}, { get: (target, name) => name === "prototype" ? target.prototype : anything });
export const KafkaJS = anything;
export default anything;
`);

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "@confluentinc/kafka-javascript" ? { url: STUB, shortCircuit: true } : next(specifier, context),
});
