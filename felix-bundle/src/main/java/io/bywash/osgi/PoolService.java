package io.bywash.osgi;

import io.bywash.engine.pool.PoolStatus;
import io.bywash.engine.pool.PoolUser;
import io.bywash.engine.pool.PoolView;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A pool of objects. Its owner is a living process that uses it or, if there is none, its creator; so whoever uses it
 * keeps it. When a bundle's role ends, its objects are free again.
 */
@ProviderType
public interface PoolService extends StructureService {
  @Override
  PoolStatus status();

  /**
   * Takes a user's role. The caller closes it.
   *
   * @throws io.bywash.engine.BusException as {@link PoolUser#open}, or when the segment has gone
   */
  PoolUser user();

  /**
   * A look at the objects, which takes no role.
   *
   * @throws io.bywash.engine.BusException as {@link PoolView#open}, or when the segment has gone
   */
  PoolView view();
}
