// JSON-RPC over HTTP/1.1, with TLS or on loopback: POST /rpc, GET /events (Server-Sent Events),
// /login and /logout, and the page's files.
//
// A request needs a token, a client certificate (http_access.h) or the cookie of a session
// (login.h), and an accepted Host. If it has an Origin, that must be accepted too. POST needs
// Content-Type application/json, which another site's form cannot send. A cookie counts only if the
// request shows that this server's page sent it (rpc_login.cpp). The page's files need nothing,
// because they contain no data.
//
// Limits (http_server.h): kRpcSessions connections, kMaxControlLine of content (kMaxUnknownContent without an accepted
// token), kRpcRequestTime for a request from its first byte, kRpcIdle between requests and for an answer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "control/api/page/page_files.h"
#include "control/api/rpc/audit.h"
#include "control/api/rpc/json_rpc.h"
#include "control/api/rpc/subscriptions.h"
#include "control/config/settings/section_settings.h"
#include "control/host/net/own_certificate.h"
#include "control/host/process/side_thread.h"
#include "dataplane/base/clock.h"
#include "matchers/result.h"

namespace steer::ops {

inline constexpr std::size_t kRpcSessions = 256;
// The longest content of clients that were not let in yet; of others: kMaxControlLine.
inline constexpr std::uint64_t kMaxUnknownContent = 64 * 1024;
inline constexpr std::string_view kRpcTooLong =
    "the content is too long: with an accepted token it may have 4 MiB, else 64 KiB";
inline constexpr std::chrono::seconds kRpcRequestTime{10};
inline constexpr std::chrono::seconds kRpcIdle{60};
inline constexpr std::chrono::seconds kRpcEventsPause{
    15};  // then a comment keeps the connection alive

class HttpServer;
class Login;

class RpcServer {
  public:
    struct Options {
        config::RpcServer settings;
        Audit audit{};
        std::shared_ptr<Subscriptions> subscriptions{};
        std::span<const page::PageFile> files{};  // in memory: no path of a request is opened
        std::shared_ptr<Login> login{};           // nullptr: signing in is off
        // The machine's names and addresses, for a certificate of its own.
        std::function<stream::CertificateNames()> machine{};
        std::function<void(const std::string& sentence)> warn{};  // about that certificate
    };
    // The first three arguments must outlive this object.
    RpcServer(boost::asio::io_context& io, const JsonRpc& rpc, Clock& clock, Options options);
    ~RpcServer();
    RpcServer(const RpcServer&) = delete;
    RpcServer& operator=(const RpcServer&) = delete;

    // Reads tokens and the certificate, and listens. Port 0: the system chooses. Blocks while it
    // reads.
    Result<void> listen();
    // The same while the daemon serves. Token files that cannot be read keep their token of
    // `before`, whose place this server takes (nullptr: none); each is an Error in the last argument.
    Result<void> listen(const RpcServer* before, std::vector<Error>& warnings);
    // Applies changed tokens, roles, hosts, origins and certificates; nullptr: reads the files
    // again. `listen` and the use of TLS stay. A file that cannot be read keeps its old value and
    // is an Error in the result. Event streams of a removed token end. Blocks while it reads.
    std::vector<Error> renew(const config::RpcServer* settings);
    // Facts about the present certificate; ends_s is 0 without TLS.
    [[nodiscard]] stream::CertificateFacts certificate() const;
    [[nodiscard]] const config::RpcServer& settings() const;
    // Replaces a certificate of its own that ends soon: on a thread of its own, later. `now_s`:
    // seconds since 1970, UTC.
    void keep_certificate(std::int64_t now_s);
    // Ends event streams of sessions that have ended.
    void end_streams();
    // Its port, sessions and counters.
    [[nodiscard]] const HttpServer& http() const;
    // Ends every session. From the io_context's thread, or when it no longer runs.
    void close();

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace steer::ops
