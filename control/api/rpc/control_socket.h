// The control socket: JSON-RPC, one object a line each way, on a UNIX stream socket (mode 0660; 0666 if `roles` are
// set, because they decide then).
//
// A peer without a role gets a sentence and is closed. A session with a subscription gets notifications between its
// answers (subscriptions.h) and has no idle time; it is closed if it reads nothing for kControlIdle.
//
// Runs on the caller's io_context (the main thread); methods are called there, so they must not
// wait. Limits: kMaxControlLine per request, kMaxControlSessions at a time, kControlIdle of silence. A further session
// closes the one that has been silent longest, first those without a subscription; it is refused if each waits for a
// method's result.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "control/api/rpc/audit.h"
#include "control/api/rpc/json_rpc.h"
#include "control/api/rpc/peer.h"
#include "control/api/rpc/subscriptions.h"
#include "matchers/result.h"

namespace boost::asio {
class io_context;
}

namespace steer::ops {

inline constexpr std::size_t kMaxControlLine = 4 * 1024 * 1024;  // a whole configuration fits
inline constexpr std::size_t kMaxControlSessions = 32;
inline constexpr std::chrono::seconds kControlIdle{60};

class ControlSocket {
  public:
    struct Options {
        Audit audit{};      // gets a line for each request that is logged, when it has its result
        PeerRoles roles{};  // of peers
        std::shared_ptr<Subscriptions> subscriptions{};  // nullptr: sessions carry no notifications
    };
    // `io` and `rpc` outlive this.
    ControlSocket(boost::asio::io_context& io, const JsonRpc& rpc, Options options);
    ControlSocket(boost::asio::io_context& io, const JsonRpc& rpc);
    ~ControlSocket();
    ControlSocket(const ControlSocket&) = delete;
    ControlSocket& operator=(const ControlSocket&) = delete;

    // Creates the folder if it is missing. A stale socket is replaced. A socket that answers,
    // or a file that is not a socket, is left alone and is an Error.
    Result<void> listen(const std::string& path);

    [[nodiscard]] std::size_t sessions() const;

    // Ends every session and removes the socket from its folder. From the io_context's thread, or
    // when it no longer runs.
    void close();

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace steer::ops
