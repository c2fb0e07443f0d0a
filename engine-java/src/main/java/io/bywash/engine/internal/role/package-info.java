/** The roles that this process holds: how they are taken, used, revoked and given back. */
package io.bywash.engine.internal.role;
