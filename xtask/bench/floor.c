/* The floor that kernel benchmarks are held against: the least that a program must do to fill, or read, an IPVS table.
 * Requests are encoded straight into one buffer, sent in large batches, and answers are looked at for errors alone: the
 * same questions are asked and the same bytes received as by the library, but nothing in them is decoded, and nothing kept.
 * (What keeping 10,000 destinations with their statistics costs is seen in the pages that the kernel clears for them.)
 *
 *   floor add SERVICES DESTINATIONS   add them: tcp 10.x.y.z:80 wlc, each with destinations 172.16+.x.y:8080, masquerading
 *   floor dump SERVICES BUFFER        read all services, then the destinations of each, receiving into BUFFER bytes
 *   floor dump-old                    the same by the old socket options (IPv4, 32-bit counters)
 *   floor time PROGRAM ARGUMENT...    run another program, its output thrown away, and tell what it took
 *   floor count PROGRAM ARGUMENT...   the same, but say only how many system calls it made (it is traced, which takes long)
 *
 * Prints the processor time, and the system calls made:
 *   CASE <tab> CONTENDER <tab> SECONDS [<tab> CALLS <tab> "calls"]
 * with the first two from the environment (CASE, CONTENDER). Time in which the processor waits, for the host's files
 * for example, is not in it; the kernel's work for the program is. Starting and connecting are only in it for a whole
 * program. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <linux/netlink.h>
#include <signal.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCH 512
#define REQUEST_MAX 256

static int netlink;
static uint16_t family;
static uint32_t sequence;
static unsigned long calls;

static char *answer;
static size_t answer_size = 32768;

/* The requests not sent yet. */
static char requests[BATCH * REQUEST_MAX];
static size_t used;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void *attribute(int type, const void *value, size_t length) {
  struct nlattr *a = (void *)(requests + used);
  a->nla_type = type;
  a->nla_len = NLA_HDRLEN + length;
  memcpy((char *)a + NLA_HDRLEN, value, length);
  used += NLA_ALIGN(a->nla_len);
  return a;
}

static void attribute16(int type, uint16_t value) { attribute(type, &value, sizeof value); }
static void attribute32(int type, uint32_t value) { attribute(type, &value, sizeof value); }
static struct nlattr *nest(int type) { return attribute(type | NLA_F_NESTED, "", 0); }
static void end_nest(struct nlattr *a) { a->nla_len = requests + used - (char *)a; }

static struct nlmsghdr *request(int command, int flags) {
  struct nlmsghdr *h = (void *)(requests + used);
  struct genlmsghdr *g = NLMSG_DATA(h);
  memset(h, 0, NLMSG_HDRLEN + GENL_HDRLEN);
  h->nlmsg_type = family;
  h->nlmsg_flags = NLM_F_REQUEST | flags;
  h->nlmsg_seq = ++sequence;
  g->cmd = command;
  g->version = 1;
  used += NLMSG_HDRLEN + GENL_HDRLEN;
  return h;
}

static void end_request(struct nlmsghdr *h) { h->nlmsg_len = requests + used - (char *)h; }

static void send_all(void) {
  calls++;
  if (send(netlink, requests, used, 0) != (ssize_t)used) die("send");
  used = 0;
}

/* Receives until an acknowledgement or the end of a dump; answers how many entries came. */
static unsigned long receive(void) {
  unsigned long entries = 0;
  for (;;) {
    calls++;
    ssize_t n = recv(netlink, answer, answer_size, 0);
    if (n < 0) die("recv");
    for (struct nlmsghdr *h = (void *)answer; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
      if (h->nlmsg_type == NLMSG_DONE) return entries;
      if (h->nlmsg_type == NLMSG_ERROR) {
        errno = -((struct nlmsgerr *)NLMSG_DATA(h))->error;
        if (errno) die("the kernel refuses");
        return entries;
      }
      entries++;
    }
  }
}

static void open_netlink(void) {
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  int on = 1, room = 1 << 20;
  netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
  if (netlink < 0 || connect(netlink, (void *)&kernel, sizeof kernel)) die("netlink");
  if (setsockopt(netlink, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on)) die("NETLINK_CAP_ACK");
  if (setsockopt(netlink, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room)) die("SO_SNDBUFFORCE");
  answer = malloc(answer_size);

  family = GENL_ID_CTRL;
  struct nlmsghdr *h = request(CTRL_CMD_GETFAMILY, 0);
  attribute(CTRL_ATTR_FAMILY_NAME, IPVS_GENL_NAME, sizeof IPVS_GENL_NAME);
  end_request(h);
  send_all();
  ssize_t n = recv(netlink, answer, answer_size, 0);
  h = (void *)answer;
  if (n < 0 || h->nlmsg_type == NLMSG_ERROR) die("no IPVS");
  for (char *p = (char *)NLMSG_DATA(h) + GENL_HDRLEN; p < answer + n;) {
    struct nlattr *a = (void *)p;
    if (a->nla_type == CTRL_ATTR_FAMILY_ID) memcpy(&family, p + NLA_HDRLEN, sizeof family);
    p += NLA_ALIGN(a->nla_len);
  }
  calls = 0;
}

static void service_key(unsigned i) {
  unsigned char addr[16] = {10, i >> 16, i >> 8, i};
  attribute16(IPVS_SVC_ATTR_AF, AF_INET);
  attribute16(IPVS_SVC_ATTR_PROTOCOL, IPPROTO_TCP);
  attribute(IPVS_SVC_ATTR_ADDR, addr, sizeof addr);
  attribute16(IPVS_SVC_ATTR_PORT, htons(80));
}

static void add_service(unsigned i, int flags) {
  struct nlmsghdr *h = request(IPVS_CMD_NEW_SERVICE, flags);
  struct nlattr *service = nest(IPVS_CMD_ATTR_SERVICE);
  struct ip_vs_flags none = {0, ~0u};
  service_key(i);
  attribute(IPVS_SVC_ATTR_SCHED_NAME, "wlc", 4);
  attribute(IPVS_SVC_ATTR_FLAGS, &none, sizeof none);
  attribute32(IPVS_SVC_ATTR_TIMEOUT, 0);
  attribute32(IPVS_SVC_ATTR_NETMASK, ~0u);
  end_nest(service);
  end_request(h);
}

static void add_destination(unsigned i, unsigned j, int flags) {
  struct nlmsghdr *h = request(IPVS_CMD_NEW_DEST, flags);
  struct nlattr *part = nest(IPVS_CMD_ATTR_SERVICE);
  unsigned char addr[16] = {172, 16 + (j >> 16), j >> 8, j};
  service_key(i);
  end_nest(part);
  part = nest(IPVS_CMD_ATTR_DEST);
  attribute(IPVS_DEST_ATTR_ADDR, addr, sizeof addr);
  attribute16(IPVS_DEST_ATTR_PORT, htons(8080));
  attribute32(IPVS_DEST_ATTR_FWD_METHOD, IP_VS_CONN_F_MASQ);
  attribute32(IPVS_DEST_ATTR_WEIGHT, 1 + j % 5);
  attribute32(IPVS_DEST_ATTR_U_THRESH, 0);
  attribute32(IPVS_DEST_ATTR_L_THRESH, 0);
  attribute16(IPVS_DEST_ATTR_ADDR_FAMILY, AF_INET);
  end_nest(part);
  end_request(h);
}

static void add(unsigned services, unsigned destinations) {
  unsigned long left = (unsigned long)services * (destinations + 1);
  unsigned waiting = 0;
  for (unsigned i = 0; i < services; i++)
    for (unsigned j = 0; j <= destinations; j++) {
      waiting++;
      left--;
      /* An error comes without being asked for; success of the last one means success of all. */
      int last = waiting == BATCH || left == 0;
      int flags = NLM_F_CREATE | NLM_F_EXCL | (last ? NLM_F_ACK : 0);
      if (j == 0)
        add_service(i, flags);
      else
        add_destination(i, j - 1, flags);
      if (last) {
        send_all();
        receive();
        waiting = 0;
      }
    }
}

static unsigned long dump(unsigned services) {
  struct nlmsghdr *h = request(IPVS_CMD_GET_SERVICE, NLM_F_DUMP);
  end_request(h);
  send_all();
  unsigned long found = receive();
  if (found != services) fprintf(stderr, "floor: %lu services, not %u\n", found, services);
  for (unsigned i = 0; i < services; i++) {
    h = request(IPVS_CMD_GET_DEST, NLM_F_DUMP);
    struct nlattr *service = nest(IPVS_CMD_ATTR_SERVICE);
    service_key(i);
    end_nest(service);
    end_request(h);
    send_all();
    found += receive();
  }
  return found;
}

static void *option(int s, int name, void *value, socklen_t size) {
  calls++;
  if (getsockopt(s, IPPROTO_IP, name, value, &size)) die("getsockopt");
  return value;
}

static unsigned long dump_old(void) {
  int s = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
  struct ip_vs_getinfo info;
  option(s, IP_VS_SO_GET_INFO, &info, sizeof info);
  size_t size = sizeof(struct ip_vs_get_services) + info.num_services * sizeof(struct ip_vs_service_entry);
  struct ip_vs_get_services *all = calloc(1, size);
  all->num_services = info.num_services;
  option(s, IP_VS_SO_GET_SERVICES, all, size);
  unsigned long found = all->num_services;
  for (unsigned i = 0; i < all->num_services; i++) {
    struct ip_vs_service_entry *e = &all->entrytable[i];
    size = sizeof(struct ip_vs_get_dests) + e->num_dests * sizeof(struct ip_vs_dest_entry);
    struct ip_vs_get_dests *d = calloc(1, size);
    d->protocol = e->protocol;
    d->addr = e->addr;
    d->port = e->port;
    d->fwmark = e->fwmark;
    d->num_dests = e->num_dests;
    option(s, IP_VS_SO_GET_DESTS, d, size);
    found += d->num_dests;
    free(d);
  }
  return found;
}

/* Runs a program; answers the processor time it took. Counts its system calls if asked to. */
static double run(char **program, int count) {
  pid_t child = fork();
  if (child < 0) die("fork");
  if (child == 0) {
    int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere < 0 || dup2(nowhere, 1) < 0) die("/dev/null");
    if (count && ptrace(PTRACE_TRACEME, 0, 0, 0)) die("ptrace");
    execvp(program[0], program);
    die(program[0]);
  }
  int status, traced = 0;
  unsigned long stops = 0;
  struct rusage used_up;
  for (;;) {
    if (wait4(child, &status, 0, &used_up) < 0) die("wait4");
    if (!WIFSTOPPED(status)) break;
    if (!traced++ && ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD)) die("ptrace");
    int is_call = WSTOPSIG(status) == (SIGTRAP | 0x80);
    stops += is_call;
    if (ptrace(PTRACE_SYSCALL, child, 0, is_call || WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status))) die("ptrace");
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status)) {
    fprintf(stderr, "floor: %s failed (status %#x)\n", program[0], status);
    exit(1);
  }
  calls = (stops + 1) / 2; /* one stop when it begins, one when it ends */
  return used_up.ru_utime.tv_sec + used_up.ru_stime.tv_sec + (used_up.ru_utime.tv_usec + used_up.ru_stime.tv_usec) / 1e6;
}

static const char *environment(const char *name, const char *otherwise) {
  const char *value = getenv(name);
  return value ? value : otherwise;
}

int main(int count, char **argument) {
  const char *verb = count > 1 ? argument[1] : "";
  double start = 0, end = 0;
  if (!strcmp(verb, "add") && count == 4) {
    open_netlink();
    start = now();
    add(atoi(argument[2]), atoi(argument[3]));
    end = now();
  } else if (!strcmp(verb, "dump") && count == 4) {
    answer_size = atol(argument[3]);
    open_netlink();
    start = now();
    dump(atoi(argument[2]));
    end = now();
  } else if (!strcmp(verb, "dump-old") && count == 2) {
    start = now();
    dump_old();
    end = now();
  } else if (!strcmp(verb, "time") && count > 2) {
    end = run(argument + 2, 0);
  } else if (!strcmp(verb, "count") && count > 2) {
    run(argument + 2, 1);
    printf("%s, %s: %lu system calls\n", environment("CASE", verb), environment("CONTENDER", "floor"), calls);
    return 0;
  } else {
    fprintf(stderr, "floor add SERVICES DESTINATIONS | dump SERVICES BUFFER | dump-old | time PROGRAM... | count PROGRAM...\n");
    return 2;
  }
  printf("%s\t%s\t", environment("CASE", verb), environment("CONTENDER", "floor"));
  printf("%.6f", end - start);
  if (calls) printf("\t%lu\tcalls", calls);
  printf("\n");
  return 0;
}
