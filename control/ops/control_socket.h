// The control socket: JSON-RPC, one object a line each way, on a UNIX stream socket (mode 0660).
//
// Runs on the caller's io_context (the main thread); methods are called there, so they must not
// wait. Limits: kMaxControlLine per request, kMaxControlSessions at a time, kControlIdle of silence. A further session
// closes the one that has been silent longest; it is refused if each waits for a method's result.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "control/ops/json_rpc.h"
#include "matchers/result.h"

namespace boost::asio {
class io_context;
}

namespace steer::ops {

inline constexpr std::size_t kMaxControlLine = 64 * 1024;
inline constexpr std::size_t kMaxControlSessions = 32;
inline constexpr std::chrono::seconds kControlIdle{60};

class ControlSocket {
  public:
    // `io` and `rpc` outlive this. `audit` gets a line for each changing request, when it has its result.
    using Audit = std::function<void(const std::string& line)>;
    ControlSocket(boost::asio::io_context& io, const JsonRpc& rpc, Audit audit = {});
    ~ControlSocket();
    ControlSocket(const ControlSocket&) = delete;
    ControlSocket& operator=(const ControlSocket&) = delete;

    // Creates the folder if it is missing. A stale socket is replaced. A socket that answers,
    // or a file that is not a socket, is left alone and is an Error.
    Result<void> listen(const std::string& path);

    // Ends every session and removes the socket from its folder. From the io_context's thread, or
    // when it no longer runs.
    void close();

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace steer::ops
