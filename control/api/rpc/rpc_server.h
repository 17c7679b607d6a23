// JSON-RPC over HTTP/1.1, with TLS or on loopback: POST /rpc, GET /events (Server-Sent Events), and the page's files.
//
// A request needs a token or a client certificate (http_access.h), an accepted Host, and an accepted Origin if it has
// one. POST /rpc needs Content-Type application/json, which another site's form cannot send. The page's files need no
// token: they hold no data.
//
// Runs on the caller's io_context (the main thread). Limits: kRpcSessions connections, 8 KiB of header, kMaxControlLine
// of content (not chunked; kMaxUnknownContent without an accepted token), kRpcRequestTime for a request from its first byte
// and for its answer, kRpcIdle between requests; for TLS handshakes, handshake_limits.h. A further connection closes the
// idlest one; those that were let in, wait for a method or carry events come last. So slow clients and crowds do not keep
// an operator out.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "control/api/http/http_refusals.h"
#include "control/api/page/page_files.h"
#include "control/api/rpc/audit.h"
#include "control/api/rpc/json_rpc.h"
#include "control/api/rpc/subscriptions.h"
#include "control/config/settings/section_settings.h"
#include "control/host/net/tls_certificate.h"
#include "dataplane/base/clock.h"
#include "matchers/result.h"

namespace steer::ops {

inline constexpr std::size_t kRpcSessions = 256;
inline constexpr std::chrono::seconds kRpcRequestTime{10};
inline constexpr std::chrono::seconds kRpcIdle{60};
inline constexpr std::chrono::seconds kRpcEventsPause{
    15};  // then a comment shows that the connection lives

class RpcServer {
  public:
    struct Options {
        config::RpcServer settings;
        Audit audit{};
        std::shared_ptr<Subscriptions> subscriptions{};
        std::span<const page::PageFile> files{};  // in memory: no path of a request is opened
    };
    // The first three outlive this.
    RpcServer(boost::asio::io_context& io, const JsonRpc& rpc, Clock& clock, Options options);
    ~RpcServer();
    RpcServer(const RpcServer&) = delete;
    RpcServer& operator=(const RpcServer&) = delete;

    // Reads tokens and the certificate, and listens. Port 0: the system chooses. Blocks while it reads.
    Result<void> listen();
    // Takes up changed tokens, roles, hosts, origins and certificates; nullptr: reads the files again. `listen`, and whether
    // TLS is used, stay. What cannot be read keeps its old value and is an Error of the result. Event streams whose token was
    // removed end. Blocks while it reads.
    std::vector<Error> renew(const config::RpcServer* settings);
    // Of the certificate in force; ends_s is 0 without TLS.
    [[nodiscard]] stream::CertificateFacts certificate() const;
    // Where it listens, after listen().
    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] std::size_t sessions() const;
    [[nodiscard]] std::size_t handshakes() const;  // of them, not done
    // By HttpRefusal.
    [[nodiscard]] const std::array<std::uint64_t, kHttpRefusals.size()>& refusals() const;
    // Ends every session. From the io_context's thread, or when it no longer runs.
    void close();

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace steer::ops
