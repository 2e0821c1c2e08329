// A server that breaks the promise: what one tenant publishes is put into the log of another too.
import { type ChannelRef, parseTenantId } from "@pm/core";
import { type AppendResult, type Awaitable, MemoryBroker, type PublicationDraft } from "../../src/index.ts";
import { serveSoak } from "./soaked-server.ts";

const [VICTIM, LEAKING] = [parseTenantId("t1"), parseTenantId("t2")];

class LeakyBroker extends MemoryBroker {
  override append(channel: ChannelRef, draft: PublicationDraft): Awaitable<AppendResult> {
    if (channel.tenant === LEAKING) void super.append({ ...channel, tenant: VICTIM }, draft);
    return super.append(channel, draft);
  }
}

serveSoak({ broker: new LeakyBroker() });
