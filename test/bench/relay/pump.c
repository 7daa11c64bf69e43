/*
 * Paced RTP through a relay: both legs of every call send a packet each 20 ms and look at what comes back out of the other leg.
 *
 *   pump OWN_ADDRESS RELAY_ADDRESS SECONDS PAYLOAD_BYTES < calls
 *
 * A call is a line of four ports: own port and relay port of its one leg, the same of its other leg. What the first leg sends to its
 * relay port must arrive at the own port of the second, and the other way round. The sending times of the legs are spread over the
 * 20 ms. One line of JSON comes out; delays are in microseconds, from before the sending to after the receiving system call.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#define PTIME_NS 20000000LL
#define HEADER 12
#define STAMP 16             /* in the payload: sending time, number of the sending leg */
#define BUCKETS 400000       /* of one microsecond; the last takes all that is longer */
#define DRAIN_NS 500000000LL /* after the last packet was sent */

struct leg {
  int socket;
  struct sockaddr_in relay;
  uint32_t sent, received, last;
};

static struct leg *legs;
static uint32_t count;
static uint32_t delays[BUCKETS];
static uint64_t received, wrong, reordered;

static int64_t now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static struct sockaddr_in address(const char *host, int port) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
  if (inet_pton(AF_INET, host, &at.sin_addr) != 1) exit(2);
  return at;
}

static void add_leg(const char *own, int own_port, const char *relay, int relay_port) {
  legs = realloc(legs, (count + 1) * sizeof *legs);
  struct leg *leg = memset(&legs[count++], 0, sizeof *leg);
  struct sockaddr_in at = address(own, own_port);
  int bytes = 1 << 20;
  leg->relay = address(relay, relay_port);
  leg->socket = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  setsockopt(leg->socket, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  if (leg->socket < 0 || bind(leg->socket, (struct sockaddr *)&at, sizeof at) < 0) {
    perror("pump: bind");
    exit(1);
  }
}

static void send_from(uint32_t index, int payload) {
  static uint8_t packet[HEADER + 2048];
  struct leg *leg = &legs[index];
  uint16_t sequence = htons((uint16_t)leg->sent);
  uint32_t timestamp = htonl(leg->sent * 160), source = htonl(0x50000000u + index);
  packet[0] = 0x80;
  memcpy(packet + 2, &sequence, 2);
  memcpy(packet + 4, &timestamp, 4);
  memcpy(packet + 8, &source, 4);
  memcpy(packet + HEADER + 8, &index, 4);
  memcpy(packet + HEADER + 12, &leg->sent, 4);
  int64_t at = now();
  memcpy(packet + HEADER, &at, 8);
  leg->sent++;
  sendto(leg->socket, packet, HEADER + payload, 0, (struct sockaddr *)&leg->relay, sizeof leg->relay);
}

static void receive_at(uint32_t index, int payload) {
  static uint8_t packet[4096];
  struct leg *leg = &legs[index];
  ssize_t length;
  while ((length = recv(leg->socket, packet, sizeof packet, 0)) >= 0) {
    int64_t at, arrived = now();
    uint32_t sender, number;
    memcpy(&at, packet + HEADER, 8);
    memcpy(&sender, packet + HEADER + 8, 4);
    memcpy(&number, packet + HEADER + 12, 4);
    /* The legs of a call stand side by side: the partner's number differs in the last bit. */
    if (length != HEADER + payload || sender != (index ^ 1)) {
      wrong++;
      continue;
    }
    if (leg->received > 0 && number <= leg->last) reordered++;
    leg->last = number;
    leg->received++;
    received++;
    int64_t us = (arrived - at) / 1000;
    delays[us < 0 ? 0 : us >= BUCKETS ? BUCKETS - 1 : us]++;
  }
}

static uint32_t percentile(double share) {
  uint64_t wanted = (uint64_t)(share * received), seen = 0;
  for (uint32_t us = 0; us < BUCKETS; us++) {
    seen += delays[us];
    if (seen > wanted) return us;
  }
  return BUCKETS - 1;
}

int main(int argc, char **argv) {
  int port[4];
  if (argc != 5) return 2;
  double seconds = atof(argv[3]);
  int payload = atoi(argv[4]);
  if (payload < STAMP || payload > 2000) return 2;
  while (scanf("%d %d %d %d", &port[0], &port[1], &port[2], &port[3]) == 4) {
    add_leg(argv[1], port[0], argv[2], port[1]);
    add_leg(argv[1], port[2], argv[2], port[3]);
  }
  if (count == 0) return 2;
  int poll = epoll_create1(0);
  for (uint32_t i = 0; i < count; i++) {
    struct epoll_event want = {.events = EPOLLIN, .data.u32 = i};
    epoll_ctl(poll, EPOLL_CTL_ADD, legs[i].socket, &want);
  }
  int64_t start = now(), end = start + (int64_t)(seconds * 1e9);
  uint64_t sent = 0, late = 0;
  struct epoll_event events[128];
  for (;;) {
    int64_t at = now();
    if (at >= end + DRAIN_NS) break;
    /* Packet number n of all is due at n / count of a packet time. A few at a time, so that receiving is not kept waiting. */
    int64_t due = start + (int64_t)(sent * (double)PTIME_NS / count);
    for (int burst = 0; burst < 16 && due <= at && due < end; burst++) {
      if (at - due > PTIME_NS) late++;
      send_from(sent % count, payload);
      due = start + (int64_t)(++sent * (double)PTIME_NS / count);
      at = now();
    }
    int64_t wait = due < end ? due - at : 10000000;
    struct timespec timeout = {0, wait < 0 ? 0 : wait > 10000000 ? 10000000 : wait};
    int ready = epoll_pwait2(poll, events, 128, &timeout, NULL);
    for (int i = 0; i < ready; i++) receive_at(events[i].data.u32, payload);
  }
  uint32_t silent = 0;
  for (uint32_t i = 0; i < count; i++) silent += legs[i].received == 0;
  struct rusage own;
  getrusage(RUSAGE_SELF, &own);
  printf("{\"legs\":%u,\"sent\":%llu,\"received\":%llu,\"wrong\":%llu,\"reordered\":%llu,\"late\":%llu,\"silentLegs\":%u,"
         "\"p50Us\":%u,\"p99Us\":%u,\"p999Us\":%u,\"maxUs\":%u,\"cpuSeconds\":%.2f}\n",
         count, (unsigned long long)sent, (unsigned long long)received, (unsigned long long)wrong,
         (unsigned long long)reordered, (unsigned long long)late, silent, percentile(0.5), percentile(0.99), percentile(0.999),
         percentile(1.0 - 1e-9), own.ru_utime.tv_sec + own.ru_stime.tv_sec + (own.ru_utime.tv_usec + own.ru_stime.tv_usec) / 1e6);
  return 0;
}
