// The control socket: JSON-RPC, one object per line in each direction, on a UNIX stream socket. Its
// mode is 0660, or 0666 if `roles` are set, because then roles decide.
//
// A peer without a role gets a sentence, and its connection is closed. A session with a
// subscription gets notifications between its answers (subscriptions.h) and has no idle time. It is
// closed if it reads nothing for kControlIdle.
//
// Runs on the caller's io_context (the main thread). Methods are called there, so they must not
// wait. Limits: kMaxControlLine per request, kMaxControlSessions at a time, kControlIdle of
// silence. A further session closes the one with the longest silence, first those without a
// subscription. It is refused if all sessions wait for a method's result.
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
        Audit audit{};      // gets a line for each request to log, when it has its result
        PeerRoles roles{};  // of peers
        UserNames users{};
        std::shared_ptr<Subscriptions> subscriptions{};  // nullptr: sessions carry no notifications
    };
    // `io` and `rpc` must outlive this object.
    ControlSocket(boost::asio::io_context& io, const JsonRpc& rpc, Options options);
    ControlSocket(boost::asio::io_context& io, const JsonRpc& rpc);
    ~ControlSocket();
    ControlSocket(const ControlSocket&) = delete;
    ControlSocket& operator=(const ControlSocket&) = delete;

    // Creates the folder if it is missing. Replaces a stale socket. A socket that answers, or a
    // file that is not a socket, is left unchanged and is an Error.
    Result<void> listen(const std::string& path);

    [[nodiscard]] std::size_t sessions() const;

    // Ends every session and removes the socket from its folder. Call it from the io_context's
    // thread, or when that no longer runs.
    void close();

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace steer::ops
