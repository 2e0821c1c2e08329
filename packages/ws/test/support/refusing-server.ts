// A server that keeps the promise, but refuses for a rate what no rate was set for: everything but small publications.
import { serveSoak } from "./soaked-server.ts";

serveSoak({ tenantBytes: { check: (_tenant, bytes = 1) => (bytes > 500 ? 1000 : 0) } });
