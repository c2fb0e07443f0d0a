/** Roles of this process: taken, used, revoked, given back. */
package io.bywash.engine.internal.role;
