package io.bywash.osgi;

import io.bywash.engine.Entry;
import io.bywash.engine.StructureStatus;
import java.nio.file.Path;
import org.osgi.annotation.versioning.ProviderType;

/**
 * What the services of all kinds of structures have in common: {@link BroadcastService}, {@link WorkQueueService},
 * {@link EndpointService}, {@link RingService}, {@link LatestService}, {@link CellsService} and {@link PoolService}. A
 * structure on this host, whichever process created it, is a service under the type of its kind.
 *
 * <p>It is a service while its segment exists and its owner is alive, see {@link io.bywash.engine.Entry#owner}; what a
 * configuration or a {@code SegmentSpec} of this container holds, and nobody else owns, is owned by this process. When
 * the owner dies or leaves, the consumers of this container first get what it committed; then the service is withdrawn.
 * Those that hang in a call for 5 seconds are not waited for. It comes back when there is an owner again, with the same
 * properties except for those of the owner. Any thread may use it.
 *
 * <p>The service itself only observes the segment, and does not keep it in use. The bundle that uses the service joins
 * the segment with the first role that it takes. When the bundle releases the service, or the service is withdrawn, the
 * bundle's roles end: each operation throws {@link io.bywash.engine.SegmentClosedException}, and those that wait end
 * with that exception. The bundle then leaves the segment. It need not close the roles for that. A role that is in use
 * at that moment, because a handler does not return or a claim is open, is
 * {@linkplain io.bywash.engine.Revocable#revoke revoked} after a second, and then holds nobody back.
 *
 * <p>Service properties: {@value BywashConstants#SEGMENT}, {@value BywashConstants#QUEUE},
 * {@value BywashConstants#KIND}, {@value BywashConstants#CAPACITY}, {@value BywashConstants#ELEMENT_SIZE},
 * {@value BywashConstants#OWNER_PID}, {@value BywashConstants#LOCAL}, {@value BywashConstants#PATH}; where records are
 * declared {@value BywashConstants#ELEMENT} and {@value BywashConstants#FINGERPRINT}; and those that its kind adds.
 */
@ProviderType
public interface StructureService {
  /** The segment's name. */
  String segment();

  /** The structure's name, unique in its segment. */
  String queue();

  /** The path of the segment's file. */
  Path path();

  /** The structure as it was last seen: what it carries, and who owns it. Roles are taken from the service instead. */
  Entry entry();

  /**
   * Inspects the structure and those who use it.
   *
   * @throws io.bywash.engine.SegmentClosedException when the segment has gone
   */
  StructureStatus status();
}
