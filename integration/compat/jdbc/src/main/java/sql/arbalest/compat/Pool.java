package sql.arbalest.compat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Fifty connections of a HikariCP pool at once. The Go test sees that the server holds nothing after the pool is closed. */
final class Pool {
  private static final int CONNECTIONS = 50;
  private static final int ROUNDS = 3;

  /** The pool opens its connections one after the other, which takes long on a machine that is busy otherwise. */
  private static final int LIMIT_MINUTES = 5;

  private Pool() {}

  static void run(Setup setup, Checks checks) {
    checks.that("50 connections", () -> work(setup, setup.properties, null));
    checks.that("50 connections with a catalog and a test query", () -> work(setup, setup.with("catalog", "arbalest"), "SELECT 1"));
  }

  private static void work(Setup setup, Map<String, String> properties, String testQuery) throws Exception {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(setup.url());
    properties.forEach(config::addDataSourceProperty);
    config.setMaximumPoolSize(CONNECTIONS);
    config.setMinimumIdle(CONNECTIONS);
    config.setConnectionTimeout(TimeUnit.MINUTES.toMillis(LIMIT_MINUTES));
    config.setConnectionTestQuery(testQuery);
    ExecutorService threads = Executors.newFixedThreadPool(CONNECTIONS);
    try (HikariDataSource pool = new HikariDataSource(config)) {
      fill(pool);
      CyclicBarrier allConnected = new CyclicBarrier(CONNECTIONS);
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < CONNECTIONS; i++) {
        int number = i;
        all.add(threads.submit(() -> {
          try (Connection connection = pool.getConnection()) {
            allConnected.await(LIMIT_MINUTES, TimeUnit.MINUTES);
            queries(connection, number);
          } catch (Exception e) {
            allConnected.reset(); // the others must not wait for this one
            throw e;
          }
          for (int round = 1; round < ROUNDS; round++) {
            try (Connection connection = pool.getConnection()) {
              queries(connection, number);
            }
          }
          return null;
        }));
      }
      for (Future<?> each : all) {
        each.get();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  /** Waits until the pool is full: one that fills while all its connections are held may leave its last waiter without for long. */
  private static void fill(HikariDataSource pool) throws Exception {
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(LIMIT_MINUTES);
    while (pool.getHikariPoolMXBean().getTotalConnections() < CONNECTIONS) {
      if (System.nanoTime() > end) {
        throw new AssertionError("the pool has " + pool.getHikariPoolMXBean().getTotalConnections() + " connections");
      }
      Thread.sleep(10);
    }
  }

  /** What a program does with a connection: a look whether it lives, a query, one with a parameter, a fault. */
  private static void queries(Connection connection, int number) throws Exception {
    Checks.equal(true, connection.isValid(5));
    Checks.equal("25", Tables.rows(connection, "SELECT count(*) FROM nation"));
    try (PreparedStatement query = connection.prepareStatement("SELECT n_nationkey FROM nation WHERE n_nationkey = ?")) {
      query.setInt(1, number % 25);
      try (ResultSet rows = query.executeQuery()) {
        Checks.equal(number % 25, Tables.rows(rows));
      }
    }
    Checks.fails("INVALID_ARGUMENT", () -> Tables.rows(connection, "SELECT nope FROM nation"));
  }
}
