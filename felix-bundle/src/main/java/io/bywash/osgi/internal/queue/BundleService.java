package io.bywash.osgi.internal.queue;

import io.bywash.engine.Entry;
import io.bywash.osgi.StructureService;
import java.nio.file.Path;

/** A structure as one bundle uses it. */
public abstract class BundleService implements StructureService {
  /** Gives what the bundle takes. */
  protected final BundleRoles roles;

  /** For one bundle. */
  protected BundleService(BundleRoles roles) {
    this.roles = roles;
  }

  @Override
  public final String segment() {
    return roles.segment();
  }

  @Override
  public final String queue() {
    return roles.queue();
  }

  @Override
  public final Path path() {
    return roles.path();
  }

  @Override
  public final Entry entry() {
    return roles.observed();
  }

  @Override
  public final String toString() {
    return roles.toString();
  }
}
