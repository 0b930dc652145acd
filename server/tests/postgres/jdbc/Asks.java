import java.sql.*;
import java.util.*;

/** Asks a demo as tools on PostgreSQL's JDBC driver do: metadata, typed values, cursors, errors, cancellation. */
class Asks {
    static void check(String what, Object found, Object expected) {
        if (!Objects.equals(String.valueOf(found), String.valueOf(expected))) {
            System.err.println(what + ": found " + found + ", expected " + expected);
            System.exit(1);
        }
    }

    static List<String> column(ResultSet rows, String name) throws SQLException {
        List<String> found = new ArrayList<>();
        while (rows.next()) found.add(rows.getString(name));
        return found;
    }

    public static void main(String[] arguments) throws Exception {
        String url = "jdbc:postgresql://" + arguments[0] + "/henge?user=henge";
        try (Connection connection = DriverManager.getConnection(url)) {
            DatabaseMetaData data = connection.getMetaData();
            check("product", data.getDatabaseProductName(), "PostgreSQL");
            check("schemas", column(data.getSchemas(), "TABLE_SCHEM").contains("public"), true);
            check("tables", column(data.getTables(null, "public", "%", new String[] {"TABLE"}), "TABLE_NAME"), "[fleet]");
            List<String> columns = column(data.getColumns(null, "public", "fleet", "%"), "COLUMN_NAME");
            check("columns", columns.containsAll(List.of("__time", "region", "events")), true);
            check("keys", column(data.getPrimaryKeys(null, "public", "fleet"), "COLUMN_NAME"), "[]");
            check("indexes", column(data.getIndexInfo(null, "public", "fleet", false, true), "INDEX_NAME"), "[]");
            check("foreign keys", column(data.getImportedKeys(null, "public", "fleet"), "PKCOLUMN_NAME"), "[]");
            check("catalogs", column(data.getCatalogs(), "TABLE_CAT").isEmpty(), false);
            check("types", column(data.getTypeInfo(), "TYPE_NAME").contains("int8"), true);

            String sql = "SELECT region, SUM(events) AS n, MAX(__time) AS newest, AVG(latency_ms_max) AS latency FROM fleet "
                + "WHERE region <> ? AND __time < ? AND events >= ? GROUP BY region ORDER BY n DESC";
            // From the sixth time on the driver asks for binary values.
            for (int time = 0; time < 8; time++) {
                try (PreparedStatement statement = connection.prepareStatement(sql)) {
                    statement.setString(1, "it's");
                    statement.setTimestamp(2, new Timestamp(System.currentTimeMillis() + 3_600_000));
                    statement.setLong(3, 1);
                    ResultSet rows = statement.executeQuery();
                    check("a row", rows.next(), true);
                    check("values", rows.getLong("n") > 0 && rows.getDouble("latency") > 0, true);
                    long age = System.currentTimeMillis() - rows.getTimestamp("newest").getTime();
                    check("its age", Math.abs(age) < 600_000, true);
                }
            }
            connection.setAutoCommit(false);
            try (Statement statement = connection.createStatement()) {
                statement.setFetchSize(7);
                int count = 0;
                ResultSet rows = statement.executeQuery("SELECT __time, region, partition FROM fleet LIMIT 100");
                while (rows.next()) count++;
                check("a cursor", count, 100);
            }
            connection.commit();
            connection.setAutoCommit(true);
            try (Statement statement = connection.createStatement()) {
                statement.executeQuery("SELECT nothing FROM fleet");
                check("an error", "none", "one");
            } catch (SQLException error) {
                check("its state", error.getSQLState(), "42703");
            }
            try (Statement statement = connection.createStatement()) {
                statement.setQueryTimeout(1);
                statement.executeQuery("SELECT COUNT(*) FROM fleet a CROSS JOIN fleet b CROSS JOIN fleet c WHERE a.lag + b.lag + c.lag = -1");
                check("a cancellation", "none", "one");
            } catch (SQLException error) {
                check("its state", error.getSQLState(), "57014");
            }
            System.out.println("JDBC: metadata, typed values, a cursor, an error and a cancellation seen");
        }
    }
}
