package sql.arbalest.compat;

import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.LinkedHashMap;
import java.util.Map;

/** Passwords, tokens and TLS, at a server that wants all of them. */
final class Logins {
  private static final String STORE_PASSWORD = "changeit";

  private final Setup setup;
  private final Checks checks;

  private Logins(Setup setup, Checks checks) {
    this.setup = setup;
    this.checks = checks;
  }

  static void run(Setup setup, Checks checks) throws Exception {
    Logins logins = new Logins(setup, checks);
    logins.tls();
    logins.users();
  }

  private Map<String, String> properties(String... namesAndValues) {
    Map<String, String> all = new LinkedHashMap<>(Map.of("user", setup.login.user, "password", setup.login.password));
    for (int i = 0; i < namesAndValues.length; i += 2) {
      all.put(namesAndValues[i], namesAndValues[i + 1]);
    }
    return all;
  }

  private String ask(Map<String, String> own) throws Exception {
    try (Connection connection = setup.connect(own)) {
      return Tables.rows(connection, "SELECT count(*) FROM nation");
    }
  }

  private void lets(String name, Map<String, String> own) {
    checks.that(name, () -> setup.inSession(own, connection -> Checks.equal("25", Tables.rows(connection, "SELECT count(*) FROM nation"))));
  }

  private void refuses(String name, String fragment, Map<String, String> own) {
    checks.that(name, () -> Checks.fails(fragment, () -> ask(own)));
  }

  private void tls() throws Exception {
    lets("TLS by tlsRootCerts", properties("tlsRootCerts", setup.login.authority));
    lets("TLS by trustStore", properties("useSystemTrustStore", "false", "trustStore", trustStore(), "trustStorePassword", STORE_PASSWORD));
    lets("TLS with disableCertificateVerification", properties("disableCertificateVerification", "true"));
    refuses("TLS by an authority that does not know the server", "UNAVAILABLE", properties("tlsRootCerts", setup.login.stranger));
    refuses("TLS by the system's authorities", "UNAVAILABLE", properties());
    refuses("no TLS", "UNAVAILABLE", properties("useEncryption", "false"));
    checks.that("TLS is what a URL means that says nothing", "25", () -> {
      String url = setup.url() + "/?user=" + setup.login.user + "&password=" + setup.login.password + "&tlsRootCerts=" + setup.login.authority;
      try (Connection connection = DriverManager.getConnection(url)) {
        return Tables.rows(connection, "SELECT count(*) FROM nation");
      }
    });
  }

  private void users() {
    Map<String, String> anonymous = Map.of("tlsRootCerts", setup.login.authority);
    lets("user and password", properties("tlsRootCerts", setup.login.authority));
    lets("user, password and catalog", properties("tlsRootCerts", setup.login.authority, "catalog", "arbalest"));
    refuses("a wrong password", "UNAUTHENTICATED", properties("tlsRootCerts", setup.login.authority, "password", "wrong"));
    refuses("an unknown user", "UNAUTHENTICATED", properties("tlsRootCerts", setup.login.authority, "user", "nobody"));
    refuses("nobody", "UNAUTHENTICATED", anonymous);
    Map<String, String> token = new LinkedHashMap<>(anonymous);
    token.put("token", setup.login.token);
    lets("token", token);
    token = new LinkedHashMap<>(token);
    token.put("catalog", "arbalest");
    lets("token and catalog", token);
    token = new LinkedHashMap<>(anonymous);
    token.put("token", "not-a-token");
    refuses("a wrong token", "UNAUTHENTICATED", token);
  }

  /** Makes a Java key store of the PEM file. */
  private String trustStore() throws Exception {
    KeyStore store = KeyStore.getInstance("JKS");
    store.load(null, null);
    try (InputStream pem = Files.newInputStream(Path.of(setup.login.authority))) {
      store.setCertificateEntry("authority", CertificateFactory.getInstance("X.509").generateCertificate(pem));
    }
    Path path = Path.of(setup.out, "trust.jks");
    try (OutputStream file = Files.newOutputStream(path)) {
      store.store(file, STORE_PASSWORD.toCharArray());
    }
    return path.toString();
  }
}
