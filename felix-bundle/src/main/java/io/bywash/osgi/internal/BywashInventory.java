package io.bywash.osgi.internal;

import io.bywash.osgi.runtime.RuntimeDTO;
import java.io.PrintWriter;
import org.apache.felix.inventory.Format;
import org.apache.felix.inventory.InventoryPrinter;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Prints {@link RuntimeDTO} into Felix's inventory, the Web Console and its support archive, if they are there. */
@Component(service = InventoryPrinter.class, property = {InventoryPrinter.NAME + "=bywash",
    InventoryPrinter.TITLE + "=Bywash", InventoryPrinter.FORMAT + "=TEXT", InventoryPrinter.FORMAT + "=JSON"})
public final class BywashInventory implements InventoryPrinter {
  private final Whiteboard whiteboard;

  /** Called by Declarative Services. */
  @Activate
  public BywashInventory(@Reference Whiteboard whiteboard) {
    this.whiteboard = whiteboard;
  }

  @Override
  public void print(PrintWriter out, Format format, boolean isZip) {
    RuntimeDTO dto = whiteboard.runtime().getRuntimeDTO();
    out.println(format == Format.JSON ? DtoJson.of(dto) : RuntimeText.of(dto));
  }
}
