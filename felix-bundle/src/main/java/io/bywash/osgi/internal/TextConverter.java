package io.bywash.osgi.internal;

import io.bywash.osgi.runtime.RuntimeDTO;
import org.apache.felix.service.command.Converter;
import org.osgi.service.component.annotations.Component;

/** Shows DTOs as text in the Gogo shell. Nobody asks for it without one. */
@Component(service = Converter.class, property = {"osgi.converter.classes=io.bywash.osgi.runtime.RuntimeDTO",
    "osgi.converter.classes=io.bywash.osgi.runtime.RuntimeDTO$QueueDTO",
    "osgi.converter.classes=io.bywash.osgi.runtime.RuntimeDTO$MessageDTO"})
public final class TextConverter implements Converter {
  @Override
  public Object convert(Class<?> type, Object value) {
    return null; // others convert
  }

  @Override
  public CharSequence format(Object target, int level, Converter escape) {
    return switch (target) {
      case RuntimeDTO all -> RuntimeText.of(all);
      case RuntimeDTO.QueueDTO queue -> RuntimeText.of(queue);
      case RuntimeDTO.MessageDTO message -> message.sequence + "  " + message.lengthBytes + " bytes  " + message.text;
      default -> null;
    };
  }
}
