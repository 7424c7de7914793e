package io.broxy.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.yaml.snakeyaml.Yaml;

/** Specifies the Kubernetes manifests: they are what the schema has, and what they refer to is there. */
class KubernetesTest {
    private static final Path FOLDER = Path.of("../packaging/kubernetes");

    private static final Map<String, Class<? extends HasMetadata>> KINDS = Map.of(
            "v1 ConfigMap", ConfigMap.class,
            "apps/v1 Deployment", Deployment.class,
            "v1 Service", Service.class,
            "policy/v1 PodDisruptionBudget", PodDisruptionBudget.class,
            "networking.k8s.io/v1 NetworkPolicy", NetworkPolicy.class);

    /** The models would keep what they do not know in a map. */
    private static final class WithoutUnknownFields extends JacksonAnnotationIntrospector {
        private static final long serialVersionUID = 1L;

        @Override
        public Boolean hasAnySetter(Annotated member) {
            return false;
        }
    }

    private static HasMetadata parse(String yaml) throws JsonProcessingException {
        Map<String, Object> fields = new Yaml().load(yaml);
        Class<? extends HasMetadata> kind = KINDS.get(fields.get("apiVersion") + " " + fields.get("kind"));
        assertThat(kind).as("the kind of %s", fields).isNotNull();
        ObjectMapper mapper = new ObjectMapper()
                .setAnnotationIntrospector(new WithoutUnknownFields())
                .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
        return mapper.readValue(mapper.writeValueAsString(fields), kind);
    }

    private static <T extends HasMetadata> T read(String file, Class<T> kind) throws IOException {
        return kind.cast(parse(Files.readString(FOLDER.resolve(file))));
    }

    private static Deployment deployment() throws IOException {
        return read("deployment.yaml", Deployment.class);
    }

    private static PodSpec pod() throws IOException {
        return deployment().getSpec().getTemplate().getSpec();
    }

    private static Container container() throws IOException {
        assertThat(pod().getContainers()).hasSize(1);
        return pod().getContainers().get(0);
    }

    private static int port(String name) throws IOException {
        return container().getPorts().stream()
                .filter(port -> port.getName().equals(name))
                .findFirst()
                .orElseThrow()
                .getContainerPort();
    }

    private static ServerOptions options() throws IOException {
        return ServerOptions.parse(container().getArgs().toArray(String[]::new));
    }

    // ------------------------------------------------------------------ schema

    @ParameterizedTest
    @ValueSource(strings = {"configmap", "deployment", "service", "poddisruptionbudget", "networkpolicy"})
    void eachFileIsAnObjectOfItsKindWithKnownFieldsOnly(String name) throws Exception {
        HasMetadata object = parse(Files.readString(FOLDER.resolve(name + ".yaml")));

        assertThat(object.getKind()).isEqualToIgnoringCase(name);
        assertThat(object.getMetadata().getName()).matches("[a-z]([-a-z0-9]*[a-z0-9])?");
        assertThat(object.getMetadata().getLabels()).containsEntry("app.kubernetes.io/name", "broxy");
    }

    @Test
    void anUnknownFieldWouldBeFoundAtAnyDepth() {
        for (String wrong : List.of(
                "spec: {replica: 2}",
                "spec: {template: {spec: {containers: [{name: a, arg: []}]}}}",
                "spec: {replicas: two}")) {
            assertThatThrownBy(() -> parse("apiVersion: apps/v1\nkind: Deployment\n" + wrong))
                    .isInstanceOf(JsonProcessingException.class);
        }
    }

    @Test
    void kustomizeHasAllOfThem() throws Exception {
        Map<String, Object> fields = new Yaml().load(Files.readString(FOLDER.resolve("kustomization.yaml")));
        try (Stream<Path> files = Files.list(FOLDER)) {
            assertThat(fields.get("resources"))
                    .asInstanceOf(InstanceOfAssertFactories.list(String.class))
                    .containsExactlyInAnyOrderElementsOf(
                            files.map(file -> file.getFileName().toString())
                                    .filter(name -> !name.equals("kustomization.yaml"))
                                    .toList());
        }
    }

    // ------------------------------------------------------------------ what refers to what

    @Test
    void selectorsMatchTheLabelsOfThePods() throws Exception {
        Map<String, String> labels =
                deployment().getSpec().getTemplate().getMetadata().getLabels();

        assertThat(labels)
                .containsAllEntriesOf(deployment().getSpec().getSelector().getMatchLabels())
                .containsAllEntriesOf(
                        read("service.yaml", Service.class).getSpec().getSelector())
                .containsAllEntriesOf(read("poddisruptionbudget.yaml", PodDisruptionBudget.class)
                        .getSpec()
                        .getSelector()
                        .getMatchLabels())
                .containsAllEntriesOf(read("networkpolicy.yaml", NetworkPolicy.class)
                        .getSpec()
                        .getPodSelector()
                        .getMatchLabels());
    }

    @Test
    void everyNameOfAPortIsOneOfTheContainers() throws Exception {
        List<String> used = new ArrayList<>();
        used.add(container().getReadinessProbe().getHttpGet().getPort().getStrVal());
        used.add(container().getLivenessProbe().getTcpSocket().getPort().getStrVal());
        read("service.yaml", Service.class)
                .getSpec()
                .getPorts()
                .forEach(port -> used.add(port.getTargetPort().getStrVal()));
        read("networkpolicy.yaml", NetworkPolicy.class)
                .getSpec()
                .getIngress()
                .forEach(rule ->
                        rule.getPorts().forEach(port -> used.add(port.getPort().getStrVal())));

        assertThat(used).doesNotContainNull();
        assertThat(new TreeSet<>(used))
                .isEqualTo(container().getPorts().stream()
                        .map(ContainerPort::getName)
                        .collect(Collectors.toCollection(TreeSet::new)));
    }

    @Test
    void theArgumentsAreOptionsOfTheMiniServerForThesePorts() throws Exception {
        ServerOptions options = options();

        assertThat(options.listen()).isEqualTo(new ListenAddress("0.0.0.0", port("proxy")));
        assertThat(options.admin().address()).isEqualTo(new ListenAddress("0.0.0.0", port("admin")));
        assertThat(deployment().getSpec().getTemplate().getMetadata().getAnnotations())
                .containsEntry("prometheus.io/port", String.valueOf(port("admin")));
    }

    @Test
    void theGracePeriodHasRoomForThePauseAndTheDrain() throws Exception {
        Duration grace = Duration.ofSeconds(pod().getTerminationGracePeriodSeconds());
        Duration pause = Duration.ofSeconds(
                container().getLifecycle().getPreStop().getSleep().getSeconds());

        assertThat(grace).isGreaterThanOrEqualTo(options().drain().plus(pause).plusSeconds(10));
    }

    @Test
    void theRulesOfTheConfigMapAreRead() throws Exception {
        ConfigMap map = read("configmap.yaml", ConfigMap.class);
        assertThat(pod().getVolumes()).singleElement().satisfies(volume -> {
            assertThat(volume.getConfigMap().getName())
                    .isEqualTo(map.getMetadata().getName());
            assertThat(container().getVolumeMounts()).singleElement().satisfies(mount -> {
                assertThat(mount.getName()).isEqualTo(volume.getName());
                assertThat(options().rules()).isEqualTo(Path.of(mount.getMountPath(), "rules.yaml"));
            });
        });
        String rules = map.getData().getOrDefault("rules.yaml", "");
        assertThat(RuleFile.parse(Path.of("rules.yaml"), rules.getBytes(UTF_8))).isNotNull();
    }

    @Test
    void thePodIsWithinTheRestrictedProfile() throws Exception {
        assertThat(pod().getSecurityContext().getRunAsNonRoot()).isTrue();
        assertThat(pod().getSecurityContext().getRunAsUser()).isPositive();
        assertThat(pod().getSecurityContext().getSeccompProfile().getType()).isEqualTo("RuntimeDefault");
        assertThat(container().getSecurityContext().getAllowPrivilegeEscalation())
                .isFalse();
        assertThat(container().getSecurityContext().getReadOnlyRootFilesystem()).isTrue();
        assertThat(container().getSecurityContext().getCapabilities().getDrop()).containsExactly("ALL");
        assertThat(container().getSecurityContext().getCapabilities().getAdd()).isNullOrEmpty();
        assertThat(container().getResources().getRequests()).containsKeys("cpu", "memory");
        assertThat(container().getResources().getLimits()).containsKey("memory");
    }
}
