/*
 * Numbers of commands that the filter looks at and that are not, or not
 * without clashes, in the system's headers.
 */
#pragma once

#include <linux/fs.h>
#include <sys/ioctl.h>

#define IOCTL_TIOCSTI 0x5412
#define IOCTL_TIOCLINUX 0x541c
#define IOCTL_TYPE_BTRFS 0x94
#define IOCTL_FAT_SET_ATTRIBUTES _IOW('r', 0x11, uint32_t)
#define IOCTL_ENABLE_VERITY _IOW('f', 133, char[128])
#define IOCTL_SET_ENCRYPTION_POLICY _IOR('f', 19, char[12])
#define IOCTL_F_SETDELEG 1040 /* fcntl(2), Linux 6.19 */
