package io.bywash.osgi.internal.queue;

import io.bywash.engine.Segment;
import io.bywash.osgi.runtime.RuntimeDTO;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.wiring.BundleWiring;

/**
 * Calls into the framework, which may run foreign code: a registration activates its consumers, and getting a service
 * its provider. They run one after another on a thread of their own. If a call does not return soon, another thread
 * does the rest, and the first one ends with its call; so a bundle that does not return delays nobody but itself. After
 * {@link #TELL_NANOS} it is named in the log and in the listing.
 */
public final class RegistryCalls {
  private static final long PASS_ON_NANOS = 250_000_000L;
  /** How long a call may take before it is reported. */
  static final long TELL_NANOS = 5_000_000_000L;
  /** How long the end of this waits for calls. */
  private static final long PATIENCE_NANOS = 5_000_000_000L;

  private final BundleContext context;
  private final Log log;
  private final Object lock = new Object();
  private final Set<Worker> workers = new HashSet<>();
  /** The worker that takes further calls; null when there is none. */
  private Worker current;
  /** The calls that wait, linked, so that none is lost for want of heap. */
  private Call first;
  private Call last;
  private boolean closed;

  /** Something to do on the registry's thread: each object by one thread at a time, and again when it was asked to. */
  public abstract static class Call {
    private enum State { IDLE, WAITING, RUNNING, AGAIN }

    private State state = State.IDLE;
    private Call next;
    /** Whether it failed at its last time. */
    private boolean failing;

    /** Calls into the framework. May fail. */
    protected abstract void run();

    /** What the log and the listing say of it. */
    @Override
    public abstract String toString();
  }

  /** Starts no thread yet. */
  public RegistryCalls(BundleContext context, Log log) {
    this.context = context;
    this.log = log;
  }

  /** Has the call made, unless it waits already. Never waits. */
  void submit(Call call) {
    synchronized (lock) {
      switch (call.state) {
        case IDLE -> append(call);
        case RUNNING -> call.state = Call.State.AGAIN;
        default -> { }
      }
      if (current == null) {
        startWorker();
      }
      lock.notifyAll();
    }
  }

  private void append(Call call) {
    call.state = Call.State.WAITING;
    if (last == null) {
      first = call;
    } else {
      last.next = call;
    }
    last = call;
  }

  private void startWorker() {
    try {
      current = new Worker();
      workers.add(current);
      current.thread.start();
    } catch (Throwable noThread) { // the next tend tries again
      workers.remove(current);
      current = null;
    }
  }

  /** Called again and again: passes calls on to another thread where one does not return, and tells of that. */
  public void tend() {
    List<Worker> reported = new ArrayList<>();
    synchronized (lock) {
      long now = System.nanoTime();
      if (first != null && (current == null || current.call != null && now - current.sinceNanos > PASS_ON_NANOS)) {
        startWorker();
      }
      for (Worker worker : workers) {
        if (worker.call != null && !worker.reported && now - worker.sinceNanos > TELL_NANOS) {
          worker.reported = true;
          reported.add(worker);
        }
      }
    }
    for (Worker worker : reported) {
      kept(worker).ifPresent(kept -> log.warn("{} has been waiting for {} s for {}. Nothing else waits for it.",
          kept.call, kept.seconds, kept.keeper));
    }
  }

  /** What has been reported and has not returned, in words. */
  public List<String> digest() {
    synchronized (lock) {
      return workers.stream().filter(worker -> worker.reported && worker.call != null)
          .map(worker -> worker.call.toString()).sorted().toList();
    }
  }

  /** What has been reported and has not returned. */
  public List<RuntimeDTO.CallDTO> describe() {
    List<Worker> reported;
    synchronized (lock) {
      reported = workers.stream().filter(worker -> worker.reported).toList();
    }
    return reported.stream().flatMap(worker -> kept(worker).stream()).toList();
  }

  private Optional<RuntimeDTO.CallDTO> kept(Worker worker) {
    RuntimeDTO.CallDTO dto = new RuntimeDTO.CallDTO();
    synchronized (lock) {
      if (worker.call == null) {
        return Optional.empty();
      }
      dto.call = worker.call.toString();
      dto.seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - worker.sinceNanos);
    }
    dto.keeper = keeper(worker.thread);
    return Optional.of(dto);
  }

  /**
   * The bundle that the thread is in, apart from the framework, the engine and this bundle. Several bundles may have a
   * class of that name; then all are named.
   */
  private String keeper(Thread thread) {
    for (StackTraceElement frame : thread.getStackTrace()) {
      String type = frame.getClassName().replaceFirst("[$/].*", "");
      String having = Stream.of(context.getBundles()).filter(bundle -> has(bundle, type))
          .map(bundle -> bundle.getSymbolicName() + " [" + bundle.getBundleId() + "]")
          .collect(Collectors.joining(" or "));
      if (!having.isEmpty()) {
        return "bundle " + having + " in " + frame.getClassName() + "." + frame.getMethodName();
      }
    }
    return "the framework";
  }

  private boolean has(Bundle bundle, String type) {
    BundleWiring wiring = bundle.adapt(BundleWiring.class);
    int end = type.lastIndexOf('.');
    if (wiring == null || bundle.getBundleId() == 0 || bundle == context.getBundle()
        || bundle.equals(FrameworkUtil.getBundle(Segment.class))) {
      return false;
    }
    Collection<String> found = wiring.listResources("/" + type.substring(0, Math.max(end, 0)).replace('.', '/'),
        type.substring(end + 1) + ".class", BundleWiring.LISTRESOURCES_LOCAL);
    return found != null && !found.isEmpty(); // null when the wiring has just gone out of use
  }

  /**
   * Makes the calls that wait, and ends. Calls that do not return for so long are left alone; what they should do is
   * then done when they return.
   */
  public void close() throws InterruptedException {
    synchronized (lock) {
      closed = true;
      lock.notifyAll();
    }
    long start = System.nanoTime();
    while (isBusy() && System.nanoTime() - start < PATIENCE_NANOS) {
      tend();
      synchronized (lock) {
        lock.wait(10);
      }
    }
  }

  private boolean isBusy() {
    synchronized (lock) {
      // a call may end this bundle
      return first != null || workers.stream().anyMatch(worker -> worker.thread != Thread.currentThread());
    }
  }

  private final class Worker implements Runnable {
    private final Thread thread;
    private Call call;
    private long sinceNanos;
    private boolean reported;

    Worker() {
      thread = Threads.unstarted("bywash-registry", this);
    }

    @Override
    public void run() {
      try {
        while (next()) {
          try {
            call.run();
            call.failing = false;
          } catch (Throwable failed) {
            report(failed);
          } finally {
            done();
          }
        }
      } catch (Throwable noHeap) {
        // another worker is started
      } finally {
        synchronized (lock) {
          workers.remove(this);
          current = current == this ? null : current;
          lock.notifyAll();
        }
      }
    }

    private void report(Throwable failed) {
      if (!call.failing) {
        call.failing = log.error("{} failed. It is tried again.", call, failed);
      }
    }

    /** Takes the next call; false when this is not the one to do so any more. */
    private boolean next() {
      synchronized (lock) {
        while (first == null && current == this && !closed) {
          try {
            lock.wait();
          } catch (InterruptedException rude) {
            // by foreign code that ran here
          }
        }
        if (first == null || current != this && !closed) {
          return false;
        }
        call = first;
        first = call.next;
        last = first == null ? null : last;
        call.next = null;
        call.state = Call.State.RUNNING;
        sinceNanos = System.nanoTime();
        return true;
      }
    }

    private void done() {
      synchronized (lock) {
        Call made = call;
        call = null;
        reported = false;
        if (made.state == Call.State.AGAIN) {
          append(made);
        } else {
          made.state = Call.State.IDLE;
        }
        lock.notifyAll();
      }
      Threads.forgetForeign();
    }
  }
}
