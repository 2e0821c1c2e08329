import { describe, expect, it } from "vitest";
import { misspeltNames } from "./misspelt-names.ts";
import { SETTINGS } from "./settings.ts";

const KNOWN = Object.values(SETTINGS).map(({ name }) => name);

/** What shells, terminals, CI, containers, orchestrators and other frameworks set. */
const ORDINARY = `
  PATH HOME HOST HOSTNAME PORT USER LOGNAME SHELL TERM LANG LC_ALL PWD OLDPWD SHLVL TMPDIR TZ EDITOR VISUAL PAGER DISPLAY MAIL
  COLORTERM NO_COLOR FORCE_COLOR CLICOLOR LS_COLORS DEBUG VERBOSE CI GITHUB_TOKEN GITHUB_ACTIONS GITHUB_WORKSPACE RUNNER_TEMP
  NODE_OPTIONS NODE_PATH NODE_VERSION NODE_EXTRA_CA_CERTS NODE_TLS_REJECT_UNAUTHORIZED NPM_TOKEN YARN_VERSION PNPM_HOME
  NODENV_DIR NVM_DIR npm_config_cache npm_lifecycle_event npm_package_name INIT_CWD TURBO_HASH VITEST TEST BASE_URL
  API_KEY APP_KEY APP_ENV APP_URL APP_NAME AWS_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY GPG_KEY SSH_KEY SSH_AUTH_SOCK
  DATABASE_URL REDIS_URL REDIS_HOST MONGO_URL AMQP_URL PGDATA PGHOST PG_DATA DATABASE_DIR CACHE_DIR CONFIG_DIR STATE_DIR
  TEMP_DIR WORK_DIR ROOT_DIR LOG_DIR LOG_FILE LOG_FORMAT SECRET_KEY SECRET_KEY_BASE SESSION_SECRET JWT_EXPIRES_IN JWT_ALGORITHM
  CORS_ENABLED CORS_HEADERS MAX_CONNECTIONS MAX_OLD_SPACE_SIZE RATE_LIMIT RATE_LIMIT_MAX SENTRY_DSN RACK_ENV RAILS_ENV MIX_ENV
  KUBERNETES_SERVICE_HOST KUBERNETES_PORT_443_TCP_ADDR PM_SERVICE_PORT PM_PORT_3000_TCP_ADDR POD_NAME POD_NAMESPACE POD_IP
  XDG_DATA_DIRS XDG_DATA_HOME XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS INVOCATION_ID JOURNAL_STREAM SYSTEMD_EXEC_PID
  HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy no_proxy SSL_CERT_FILE SSL_CERT_DIR JAVA_HOME GOPATH
  OTEL_SERVICE_NAME OTEL_EXPORTER_OTLP_ENDPOINT OTEL_LOG_LEVEL DOCKER_HOST COMPOSE_PROJECT_NAME VIRTUAL_ENV WSL_DISTRO_NAME
`
  .trim()
  .split(/\s+/);

describe("misspeltNames", () => {
  it("given ordinary variables when they are looked at then none is taken for a setting", () => {
    expect(misspeltNames(ORDINARY, KNOWN)).toEqual([]);
  });

  it("given every known name when they are looked at then none is misspelt", () => {
    expect(misspeltNames(KNOWN, KNOWN)).toEqual([]);
  });

  it.each([
    ["JWT_SECRT", "JWT_SECRET"],
    ["JTW_SERCET", "JWT_SECRET"],
    ["MAX_CONECTIONS_PER_TENNANT", "MAX_CONNECTIONS_PER_TENANT"],
    ["DATA_DR", "DATA_DIR"],
    ["DATADIR", "DATA_DIR"],
    ["OPS_KEYS", "OPS_KEY"],
    ["LOG_COLOR", "LOG_COLORED"],
    ["ALLOWED_ORIGIN", "ALLOWED_ORIGINS"],
    ["JWKS_URI", "JWKS_URL"],
    ["NOD_ENV", "NODE_ENV"],
    ["jwt_secret", "JWT_SECRET"],
  ])("given %s when it is looked at then %s was meant", (given, meant) => {
    expect(misspeltNames([given], KNOWN)).toEqual([{ given, meant }]);
  });

  it("given a name near to two when it is looked at then the nearer one was meant", () => {
    expect(misspeltNames(["DRAIN_GRACE_SEC"], ["DRAIN_TRACE_SECS", "DRAIN_GRACE_SECS"])).toEqual([
      { given: "DRAIN_GRACE_SEC", meant: "DRAIN_GRACE_SECS" },
    ]);
  });

  it("given a short name two edits away when it is looked at then it is left alone", () => {
    expect(misspeltNames(["API_KEY", "GPG_KEY"], ["OPS_KEY"])).toEqual([]);
    expect(misspeltNames(["OPS_KEYXY"], ["OPS_KEY"])).toEqual([]);
    expect(misspeltNames(["DATE_DIRS"], ["DATA_DIR"])).toEqual([{ given: "DATE_DIRS", meant: "DATA_DIR" }]);
    expect(misspeltNames(["DATE_DIX"], ["DATA_DIR"])).toEqual([{ given: "DATE_DIX", meant: "DATA_DIR" }]);
  });
});
