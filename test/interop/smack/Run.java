import java.io.FileOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.net.URI;
import java.util.logging.ConsoleHandler;
import java.util.logging.Logger;

import org.igniterealtime.smack.inttest.Configuration;
import org.igniterealtime.smack.inttest.ConnectionConfigurationBuilderApplier;
import org.igniterealtime.smack.inttest.FailedTest;
import org.igniterealtime.smack.inttest.SmackIntegrationTestFramework;
import org.igniterealtime.smack.inttest.SmackIntegrationTestFramework.TestRunResult;
import org.igniterealtime.smack.inttest.SuccessfulTest;
import org.igniterealtime.smack.inttest.TestNotPossible;
import org.igniterealtime.smack.inttest.XmppConnectionDescriptor;
import org.igniterealtime.smack.inttest.XmppConnectionManager;
import org.jivesoftware.smack.c2s.ModularXmppClientToServerConnection;
import org.jivesoftware.smack.c2s.ModularXmppClientToServerConnectionConfiguration;
import org.jivesoftware.smack.tcp.XMPPTCPConnectionConfiguration;
import org.jivesoftware.smack.websocket.XmppWebSocketTransportModuleDescriptor;
import org.jivesoftware.smack.websocket.impl.WebSocketFactory;
import org.jivesoftware.smack.websocket.java11.Java11WebSocketFactory;
import org.jivesoftware.smack.websocket.okhttp.OkHttpWebSocketFactory;

/**
 * Runs Smack's integration tests against a server at any port, and ends with "N passed, N failed".
 * The settings are Smack's own sinttest properties; the arguments are the port, the log, which gets the traffic, and the WebSocket address.
 */
public final class Run {
    private static final PrintStream OUT = System.out;

    public static void main(String[] args) throws Exception {
        System.setOut(new PrintStream(new FileOutputStream(args[1]), true));
        System.setErr(System.out);
        Logger root = Logger.getLogger("");
        root.removeHandler(root.getHandlers()[0]);
        root.addHandler(new ConsoleHandler());
        int port = Integer.parseInt(args[0]);
        Configuration configuration = Configuration.newConfiguration(new String[0]);
        usePort(configuration, port);
        useWebSocket("modular-websocket-okhttp", new OkHttpWebSocketFactory(), new URI(args[2]));
        useWebSocket("modular-websocket-java11", new Java11WebSocketFactory(), new URI(args[2]));
        System.exit(new Framework(configuration).runAndReport());
    }

    /** Reaches the results also when a test ends the whole run, as any RuntimeException in a test does. */
    private static final class Framework extends SmackIntegrationTestFramework {
        Framework(Configuration configuration) {
            super(configuration);
        }

        int runAndReport() throws Exception {
            Throwable abort = null;
            try {
                run();
            } catch (Exception | Error e) {
                e.printStackTrace();
                abort = e;
            }
            return report(testRunResult, abort);
        }
    }

    /** Smack takes a host from its properties, but no port. */
    private static void usePort(Configuration configuration, int port) throws ReflectiveOperationException {
        Field field = Configuration.class.getField("configurationApplier");
        field.setAccessible(true);
        ConnectionConfigurationBuilderApplier given = configuration.configurationApplier;
        field.set(configuration, (ConnectionConfigurationBuilderApplier) builder -> {
            given.applyConfigurationTo(builder);
            builder.setPort(port);
        });
    }

    /** Smack would look the address up in the host's metadata at port 443. */
    private static void useWebSocket(String nickname, WebSocketFactory factory, URI address) throws ReflectiveOperationException {
        XmppConnectionManager.addConnectionDescriptor(XmppConnectionDescriptor
            .buildWith(ModularXmppClientToServerConnection.class, ModularXmppClientToServerConnectionConfiguration.class,
                ModularXmppClientToServerConnectionConfiguration.Builder.class)
            .withNickname(nickname)
            .applyExtraConfiguration(builder -> {
                builder.removeAllModules();
                builder.addModule(XmppWebSocketTransportModuleDescriptor.getBuilder(builder)
                    .setWebSocketFactory(factory).explicitlySetWebSocketEndpointAndDiscovery(address, false).build());
            })
            .build());
    }

    private static int report(TestRunResult result, Throwable abort) {
        for (SuccessfulTest test : result.getSuccessfulTests()) {
            OUT.println("ok    " + test.concreteTest + " " + test.duration + " ms");
        }
        result.getImpossibleTestClasses().forEach((type, reason) -> OUT.println("none  " + type.getName() + ": " + reason.getMessage()));
        for (TestNotPossible test : result.getNotPossibleTests()) {
            OUT.println("none  " + test.concreteTest + ": " + test.testNotPossibleException.getMessage());
        }
        for (FailedTest test : result.getFailedTests()) {
            OUT.println("FAIL  " + test.concreteTest + ": " + test.failureReason);
        }
        if (abort != null) {
            OUT.println("FAIL  the run ended early: " + abort);
        }
        int passed = result.getSuccessfulTests().size();
        int failed = result.getFailedTests().size() + (abort == null ? 0 : 1);
        OUT.println("smack: " + passed + " passed, " + failed + " failed");
        return failed == 0 && passed > 0 ? 0 : 1;
    }
}
