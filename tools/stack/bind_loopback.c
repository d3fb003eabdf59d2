// DynamoDB Local cannot be told which address to listen on and takes all of them. Preloaded, this turns a bind()
// to the wildcard address into one to loopback, so that the test database is never reachable from outside.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

int bind(int fd, const struct sockaddr* address, socklen_t size) {
  static int (*next)(int, const struct sockaddr*, socklen_t);
  if (!next) next = (int (*)(int, const struct sockaddr*, socklen_t))dlsym(RTLD_NEXT, "bind");
  struct sockaddr_storage copy;
  if (!address || size > sizeof copy) return next(fd, address, size);
  memcpy(&copy, address, size);
  if (address->sa_family == AF_INET && size >= sizeof(struct sockaddr_in)) {
    struct sockaddr_in* v4 = (struct sockaddr_in*)&copy;
    if (v4->sin_addr.s_addr == htonl(INADDR_ANY)) v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  } else if (address->sa_family == AF_INET6 && size >= sizeof(struct sockaddr_in6)) {
    struct sockaddr_in6* v6 = (struct sockaddr_in6*)&copy;
    if (IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr)) v6->sin6_addr = in6addr_loopback;
  }
  return next(fd, (struct sockaddr*)&copy, size);
}
