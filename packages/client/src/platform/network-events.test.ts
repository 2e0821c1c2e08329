import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type NetworkEvent, pageEvents } from "./network-events.ts";

/** What a page has of the globals, on Node's own EventTarget. */
class Page extends EventTarget {
  visibilityState = "visible";
}

function shown(persisted: boolean): Event {
  return Object.assign(new Event("pageshow"), { persisted });
}

describe("pageEvents", () => {
  const names = ["addEventListener", "document"] as const;
  let window: EventTarget;
  let document: Page;

  beforeEach(() => {
    window = new EventTarget();
    document = new Page();
    Object.assign(globalThis, { addEventListener: window.addEventListener.bind(window), document });
  });
  afterEach(() => {
    for (const name of names) Reflect.deleteProperty(globalThis, name);
  });

  it("given a page, when its network or its visibility changes, then that is told until it is ended", () => {
    const told: NetworkEvent[] = [];
    const end = pageEvents((event) => told.push(event));
    window.dispatchEvent(new Event("online"));
    window.dispatchEvent(new Event("offline"));
    window.dispatchEvent(shown(false));
    window.dispatchEvent(shown(true));
    document.dispatchEvent(new Event("visibilitychange"));
    document.visibilityState = "hidden";
    document.dispatchEvent(new Event("visibilitychange"));
    document.dispatchEvent(new Event("resume"));
    expect(told).toEqual(["online", "offline", "wake", "wake", "wake"]);
    end();
    window.dispatchEvent(new Event("online"));
    document.dispatchEvent(new Event("resume"));
    expect(told).toHaveLength(5);
  });

  it("given a worker, which has no document, when its network changes, then that is told until it is ended", () => {
    Reflect.deleteProperty(globalThis, "document");
    const told: NetworkEvent[] = [];
    const end = pageEvents((event) => told.push(event));
    window.dispatchEvent(new Event("online"));
    end();
    window.dispatchEvent(new Event("offline"));
    expect(told).toEqual(["online"]);
  });

  it("given no page, when it is listened to, then nothing is told and nothing fails", () => {
    for (const name of names) Reflect.deleteProperty(globalThis, name);
    expect(() => pageEvents(() => undefined)()).not.toThrow();
  });
});
