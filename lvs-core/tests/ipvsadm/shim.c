/* Preloaded into ipvsadm: its netlink sockets lead to the test (LVS_FAKE_SOCKET), which plays the kernel, /proc/net to
 * LVS_FAKE_PROC, and names come from LVS_FAKE_NAMES: lines "host ADDRESS NAME" and "port NUMBER PROTOCOL NAME". */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <linux/netlink.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static int fake[1024];

#define REAL(name, ret, ...) static ret (*real)(__VA_ARGS__); if (!real) real = (ret (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

int socket(int domain, int type, int protocol)
{
    REAL("socket", int, int, int, int);
    if (domain != AF_NETLINK)
        return real(domain, type, protocol);
    int fd = real(AF_UNIX, SOCK_DGRAM | (type & SOCK_CLOEXEC), 0);
    struct sockaddr_un server = { .sun_family = AF_UNIX };
    int (*real_bind)(int, const struct sockaddr *, socklen_t) =
        (int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "bind");
    strncpy(server.sun_path, getenv("LVS_FAKE_SOCKET"), sizeof server.sun_path - 1);
    if (fd < 0 || real_bind(fd, (struct sockaddr *)&server, sizeof(sa_family_t)) ||
        connect(fd, (struct sockaddr *)&server, sizeof server))
        return -1;
    fake[fd] = 1;
    return fd;
}

int bind(int fd, const struct sockaddr *addr, socklen_t len)
{
    REAL("bind", int, int, const struct sockaddr *, socklen_t);
    return fd >= 0 && fd < 1024 && fake[fd] ? 0 : real(fd, addr, len);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    REAL("setsockopt", int, int, int, int, const void *, socklen_t);
    return fd >= 0 && fd < 1024 && fake[fd] ? 0 : real(fd, level, name, value, len);
}

int getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
    REAL("getsockname", int, int, struct sockaddr *, socklen_t *);
    if (fd < 0 || fd >= 1024 || !fake[fd])
        return real(fd, addr, len);
    struct sockaddr_nl self = { .nl_family = AF_NETLINK, .nl_pid = 4242 };
    memcpy(addr, &self, sizeof self);
    *len = sizeof self;
    return 0;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    REAL("sendmsg", ssize_t, int, const struct msghdr *, int);
    if (fd < 0 || fd >= 1024 || !fake[fd])
        return real(fd, message, flags);
    struct msghdr plain = { .msg_iov = message->msg_iov, .msg_iovlen = message->msg_iovlen };
    return real(fd, &plain, flags);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    REAL("recvmsg", ssize_t, int, struct msghdr *, int);
    if (fd < 0 || fd >= 1024 || !fake[fd])
        return real(fd, message, flags);
    struct msghdr plain = { .msg_iov = message->msg_iov, .msg_iovlen = message->msg_iovlen };
    ssize_t got = real(fd, &plain, flags);
    struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
    if (message->msg_name)
        memcpy(message->msg_name, &kernel, sizeof kernel);
    message->msg_namelen = sizeof kernel;
    message->msg_flags = plain.msg_flags;
    message->msg_controllen = 0;
    return got;
}

FILE *fopen(const char *path, const char *mode)
{
    REAL("fopen", FILE *, const char *, const char *);
    const char *proc = getenv("LVS_FAKE_PROC");
    char other[4096];
    if (proc && !strncmp(path, "/proc/net/", 10)) {
        snprintf(other, sizeof other, "%s/%s", proc, path + 10);
        path = other;
    }
    return real(path, mode);
}

static int look_up(const char *prefix, char *name, size_t size)
{
    char line[2048];
    const char *path = getenv("LVS_FAKE_NAMES");
    FILE *names = path ? fopen(path, "r") : NULL;
    int found = 0;
    while (names && !found && fgets(line, sizeof line, names)) {
        line[strcspn(line, "\n")] = 0;
        if (!strncmp(line, prefix, strlen(prefix))) {
            snprintf(name, size, "%s", line + strlen(prefix));
            found = 1;
        }
    }
    if (names)
        fclose(names);
    return found;
}

struct hostent *gethostbyaddr(const void *addr, socklen_t len, int family)
{
    static struct hostent entry;
    static char name[1024];
    char text[64], prefix[80];
    (void)len;
    inet_ntop(family, addr, text, sizeof text);
    snprintf(prefix, sizeof prefix, "host %s ", text);
    if (!look_up(prefix, name, sizeof name))
        return NULL;
    entry.h_name = name;
    return &entry;
}

struct servent *getservbyport(int port, const char *protocol)
{
    static struct servent entry;
    static char name[1024];
    char prefix[80];
    snprintf(prefix, sizeof prefix, "port %d %s ", ntohs(port), protocol ? protocol : "any");
    if (!look_up(prefix, name, sizeof name))
        return NULL;
    entry.s_name = name;
    return &entry;
}
