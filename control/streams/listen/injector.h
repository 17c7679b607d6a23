// Passes queries to workers and returns their answers to the connections.
//
// The client's address chooses the worker, so that its quotas apply. A fixed table stores a query
// until its answer arrives, or for kPatienceMs, because a full ring may lose a worker's answer. A
// NOTIFY that control accepts (StreamContext::on_notify) goes to no worker.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "control/streams/base/edns_options.h"
#include "control/streams/base/socket_address.h"
#include "control/streams/base/stream_context.h"
#include "dataplane/base/message.h"
#include "dataplane/stages/frame.h"

namespace steer::stream {

// The receiver of an answer.
struct QueryOrigin {
    SocketAddress client;
    IpAddress local;  // the address that received the query
    std::uint16_t local_port = 0;
    ClientTransport transport = ClientTransport::tcp;
    std::uint32_t stream = 0;  // the receiver's number of the query
    OptionsAsked options{};    // over TCP
};

// A query's metadata, valid during a call.
struct QueryMetadata {
    std::uint16_t frontend = 0;    // entry frontend (dataplane/policy/frontends.h); 0: none
    std::string_view server_name;  // requested by the TLS client, in any case
    std::string_view url_path;     // of HTTP
    std::uint64_t trace_id = 0;    // 0: not traced (dataplane/policy/trace.h)
};

class ResponseHandler {
  public:
    virtual ~ResponseHandler() = default;
    // nullptr: the query was dropped. Takes ownership of the reference.
    virtual void take_answer(const QueryOrigin& origin, Buffer* response) = 0;
};

class Injector {
  public:
    static constexpr unsigned kInProgress = 16384;
    static constexpr std::uint64_t kPatienceMs = 30'000;
    // Maximum message size over kernel UDP: the same as through any port.
    static constexpr std::uint16_t kMaxUdp = kMaxUdpAnswer;

    explicit Injector(StreamContext& context);
    ~Injector();
    Injector(const Injector&) = delete;
    Injector& operator=(const Injector&) = delete;

    // A buffer with space for a query of `length` bytes, and its metadata after the header. Returns
    // nullptr if there is none (counted).
    Buffer* take_buffer(std::size_t length, const QueryMetadata& metadata = {});
    // The position of the query's bytes in such a buffer.
    static std::span<std::uint8_t> query_room(Buffer& buffer);

    // Takes ownership of `query`, with its bytes in query_room(). Returns false if it is lost and
    // counted: there will be no answer.
    bool inject(const std::shared_ptr<ResponseHandler>& taker, const QueryOrigin& origin,
                Buffer* query, std::size_t length, const QueryMetadata& metadata = {});
    void on_answer(const Message& m);
    // Called after answers that no worker gave.
    void set_flush(std::function<void()> flush) { flush_ = std::move(flush); }
    // Removes queries without an answer. Call it once a second.
    void expire();

    [[nodiscard]] unsigned in_progress() const {
        return static_cast<unsigned>(pending_.size() - free_.size());
    }

  private:
    struct Pending {
        std::uint32_t serial = 0;       // incremented at each use: an old token does not match
        std::uint64_t deadline_ms = 0;  // 0: free
        std::weak_ptr<ResponseHandler> taker;
        QueryOrigin origin;
    };
    // A NOTIFY that control answers: true, and the answer follows. False: it is none.
    bool answer_notify(const std::shared_ptr<ResponseHandler>& taker, const QueryOrigin& origin,
                       Buffer& query, std::size_t length);
    [[nodiscard]] std::size_t worker_for(const IpAddress& client) const;
    void wake_later(std::size_t worker);
    void wake_workers();
    void forget(std::uint32_t i);
    void give_ready();

    StreamContext& context_;
    std::function<void()> flush_;
    std::uint64_t to_wake_ = 0;  // bit i: worker i has new queries
    std::vector<Pending> pending_;
    std::vector<std::uint32_t> free_;
    struct Ready {
        std::weak_ptr<ResponseHandler> taker;
        QueryOrigin origin;
        Buffer* response;
    };
    std::vector<Ready> ready_;
};

}  // namespace steer::stream
