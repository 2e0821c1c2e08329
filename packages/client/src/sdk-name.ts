/** What the client calls itself in Hello; a test holds the version against package.json. */
export const SDK_NAME = "@pm/client/0.1.0";
