/** What the platform tells about the way to the network. `wake`: the page was asleep, hidden or stored away. */
export type NetworkEvent = "online" | "offline" | "wake";

/** Tells of the network, as a port. The returned function ends it. */
export type NetworkEvents = (listener: (event: NetworkEvent) => void) => () => void;

/** The events of a page; where there is no page, as in Node, there are none. */
export const pageEvents: NetworkEvents = (listener) => {
  const page = globalThis as Partial<Pick<typeof globalThis, "addEventListener" | "document">>;
  if (page.addEventListener === undefined) return () => undefined;
  const { document } = page;
  const ended = new AbortController();
  const options = { signal: ended.signal };
  const wake = (): void => listener("wake");
  page.addEventListener("online", () => listener("online"), options);
  page.addEventListener("offline", () => listener("offline"), options);
  page.addEventListener("pageshow", ({ persisted }: PageTransitionEvent) => (persisted ? wake() : undefined), options);
  document?.addEventListener(
    "visibilitychange",
    () => (document.visibilityState === "visible" ? wake() : undefined),
    options,
  );
  document?.addEventListener("resume", wake, options);
  return () => ended.abort();
};
