package io.bywash.osgi;

import io.bywash.engine.cell.LatestReader;
import io.bywash.engine.cell.LatestStatus;
import io.bywash.engine.cell.LatestWriter;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A latest value. Its owner is a living process that holds a role in it, a writer before a reader, or, if there is
 * none, its creator; so whoever uses it keeps it.
 */
@ProviderType
public interface LatestService extends StructureService {
  @Override
  LatestStatus status();

  /**
   * Takes a writer's role. The caller closes it.
   *
   * @throws io.bywash.engine.BusException as {@link LatestWriter#open}, or when the segment has gone
   */
  LatestWriter writer();

  /**
   * Takes a reader's role. The caller closes it.
   *
   * @throws io.bywash.engine.BusException as {@link LatestReader#open}, or when the segment has gone
   */
  LatestReader reader();
}
