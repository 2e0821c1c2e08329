import { render } from "preact";
import { TENANTS } from "../board/tenants.ts";
import { App } from "./app.tsx";
import { startPulse } from "./pulse-loop.ts";
import { TenantModel } from "./tenant-model.ts";
import { visitorName } from "./visitor-name.ts";
import type { ReaderReport } from "../reader/reader-protocol.ts";

const user = visitorName(sessionStorage);
const models = TENANTS.map((tenant) => {
  const worker = new Worker(new URL("../reader/reader.worker.ts", import.meta.url), {
    type: "module",
    name: tenant.id,
  });
  const model = new TenantModel({ tenant, user, send: (order) => worker.postMessage(order, []) });
  worker.addEventListener("message", ({ data }: MessageEvent<ReaderReport>) => model.onReport(data));
  model.start();
  return model;
});
startPulse(models);
render(<App models={models} user={user} />, document.body);
