// A server of lists that says any bytes, on a connection to 127.0.0.1: there is one outcome with its reason, no more than
// max_size is handed on, and a redirect is only read (none is followed).
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "../require.h"
#include "control/streams/fetch/fetch.h"

using namespace steer;
using Bytes = std::span<const std::uint8_t>;

namespace {

constexpr std::uint64_t kMaxBytes = 64 * 1024;

// Says the same to every connection, and then its end. Of its own copy: it may be sending when the fetch has ended, and the
// input goes then.
class Server {
  public:
    Server() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
        socklen_t size = sizeof at;
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
        port_ = ntohs(at.sin_port);
        ::listen(listener_, 16);
        std::thread([this] { serve(); }).detach();  // as long as the process
    }
    [[nodiscard]] std::uint16_t port() const { return port_; }
    void say(Bytes bytes) {
        const std::scoped_lock lock(mutex_);
        says_.assign(bytes.begin(), bytes.end());
    }

  private:
    void serve() {
        for (;;) {
            const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (connection < 0) {  // the fuzzer's clock rang, or the client was quicker
                REQUIRE(errno == EINTR || errno == ECONNABORTED);
                continue;
            }
            std::vector<std::uint8_t> says;
            {
                const std::scoped_lock lock(mutex_);
                says = says_;
            }
            if (!says.empty()) ::send(connection, says.data(), says.size(), MSG_NOSIGNAL);
            ::shutdown(connection, SHUT_WR);
            std::array<char, 1024> asked{};
            while (::recv(connection, asked.data(), asked.size(), 0) > 0) {
            }
            ::close(connection);
        }
    }

    int listener_;
    std::uint16_t port_ = 0;
    std::mutex mutex_;
    std::vector<std::uint8_t> says_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static auto& server = *new Server;
    server.say({data, size});
    fetch::Request request{
        .url = *config::parse_url("http://127.0.0.1:" + std::to_string(server.port()) + "/list")};
    request.max_bytes = kMaxBytes;
    request.max_redirects = 0;
    if (size % 2 == 0) request.etag = "\"v1\"";
    std::uint64_t handed = 0;
    const auto response = fetch::fetch(request,
                                       [&handed](Bytes bytes) -> Result<void> {
                                           handed += bytes.size();
                                           return {};
                                       },
                                       {});
    REQUIRE(handed == response.bytes && handed <= kMaxBytes);
    REQUIRE(response.why.empty() == fetch::is_good(response.outcome));
    REQUIRE(response.outcome != fetch::Outcome::stopped &&
            response.outcome != fetch::Outcome::no_name &&
            response.outcome != fetch::Outcome::too_slow);
    REQUIRE(response.outcome != fetch::Outcome::unchanged || !request.etag.empty());
    return 0;
}
