/* version.h - the library's version: the one place where it stands.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_VERSION_H
#define AVP_VERSION_H

#define AVP_VERSION "0.1.0"

#endif
