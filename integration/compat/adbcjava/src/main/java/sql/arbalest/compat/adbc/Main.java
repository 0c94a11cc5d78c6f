package sql.arbalest.compat.adbc;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** Runs arrow-adbc's validation suites by JUnit and writes how each test ended for the Go test to judge. */
public final class Main {
  private static final Gson JSON = new GsonBuilder().disableHtmlEscaping().create();

  /** What the Go test writes. */
  private static final class Setup {
    String host;
    int port;
    String out;
  }

  private Main() {}

  public static void main(String[] args) throws Exception {
    Setup setup = JSON.fromJson(Files.readString(Path.of(args[0])), Setup.class);
    Quirks.uri = "grpc+tcp://" + setup.host + ":" + setup.port;
    Outcomes outcomes = new Outcomes();
    var request = LauncherDiscoveryRequestBuilder.request();
    for (Class<?> suite : List.of(ConnectionSuite.class, MetadataSuite.class, PartitionSuite.class, StatementSuite.class,
        TransactionSuite.class, TypeSuite.class)) {
      request.selectors(DiscoverySelectors.selectClass(suite));
    }
    LauncherFactory.create().execute(request.build(), outcomes);
    Files.writeString(Path.of(setup.out, "outcome.json"), JSON.toJson(outcomes.result));
    System.exit(0); // Netty's threads are no daemons
  }
}
