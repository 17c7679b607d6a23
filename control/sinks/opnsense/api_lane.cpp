#include "control/sinks/opnsense/api_lane.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <utility>

#include "matchers/host_text.h"
#include "matchers/version.h"

namespace steer::opnsense {
namespace asio = boost::asio;
namespace {

constexpr std::chrono::seconds kAckTimeout{3};  // for unacknowledged data
constexpr std::string_view kRemedy = "`ca` or `pin` of its `tls`";

std::string base64_of(std::string_view text) {
    std::string out((text.size() + 2) / 3 * 4 + 1, '\0');  // with the NUL that it writes
    const int n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                  reinterpret_cast<const unsigned char*>(text.data()),
                                  static_cast<int>(text.size()));
    out.resize(static_cast<std::size_t>(n));
    return out;
}

std::string fingerprint_of(SSL* ssl) {
    X509* const certificate = ssl == nullptr ? nullptr : SSL_get0_peer_certificate(ssl);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (certificate == nullptr || X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1)
        return {};
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string hex;
    for (unsigned i = 0; i < size; ++i)
        hex.append({kDigits[digest[i] >> 4U], kDigits[digest[i] & 15U]});
    return hex;
}

}  // namespace

// The reply that is in transit.
class ApiLane::Reply final : public stream::HttpReplyTaker {
  public:
    void begin() { *this = Reply(); }
    [[nodiscard]] bool is_over() const { return is_over_; }

    void take_head(std::uint32_t /*request*/, const stream::HttpResponseHead& head) override {
        reply.status = head.status;
        if (head.content_length && *head.content_length > kMaxReply) fail("its reply is too long");
    }
    void take_content(std::uint32_t /*request*/, std::span<const std::uint8_t> bytes) override {
        if (is_over_) return;
        if (reply.body.size() + bytes.size() > kMaxReply) return fail("its reply is too long");
        reply.body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    void take_end(std::uint32_t /*request*/) override { is_over_ = true; }
    void take_failure(std::uint32_t /*request*/, stream::Retry /*retry*/,
                      std::string_view why) override {
        fail(why.empty() ? "it gave no reply" : std::string(why));
    }

    ApiReply reply;

  private:
    void fail(std::string why) {
        if (reply.why.empty()) reply.why = std::move(why);
        is_over_ = true;
    }
    bool is_over_ = false;
};

ApiLane::ApiLane(boost::asio::io_context& io, build::OpnsensePlan plan)
    : io_(io), plan_(std::move(plan)) {}

ApiLane::~ApiLane() = default;

void ApiLane::ask(ApiRequest request, Done done) {
    is_busy_ = true;
    done_ = std::move(done);
    // The coroutine keeps the lane, so that stop() and the end of its owner need not wait.
    asio::co_spawn(
        io_,
        [self = shared_from_this(), request = std::move(request)]() -> asio::awaitable<void> {
            return self->run(request);
        },
        [self = shared_from_this()](const std::exception_ptr& thrown) {
            if (thrown) self->end({.why = "no memory"});
        });
}

void ApiLane::stop() {
    done_ = nullptr;
    if (connection_) connection_->until(Clock::now());
}

void ApiLane::end(const ApiReply& reply) {
    is_busy_ = false;
    if (!reply.why.empty() || (client_ && client_->room() == 0)) connection_.reset();
    if (const Done done = std::exchange(done_, nullptr)) done(reply);
}

std::string ApiLane::check_pin(SSL* ssl) const {
    if (plan_.pin_sha256.empty()) return {};
    const std::string shown = fingerprint_of(ssl);
    if (shown == plan_.pin_sha256) return {};
    return "its certificate does not match `pin`: its SHA-256 is " +
           (shown.empty() ? "unknown" : shown);
}

// Empty: connection_ is open; else why not.
asio::awaitable<std::string> ApiLane::open() {
    connection_ = std::make_unique<fetch::Connection>(io_);
    connection_->until(Clock::now() + std::chrono::milliseconds(plan_.connect_timeout_ms));
    const bool connected = co_await connection_->connect(plan_.address, plan_.port, kAckTimeout);
    if (!connected) co_return "cannot be connected to: " + connection_->why();
    if (plan_.tls) {
        if (!tls_) {
            const bool by_pin = !plan_.pin_sha256.empty() && plan_.ca_file.empty();
            auto made = stream::TlsClient::make(
                plan_.certificate_name.empty() ? plan_.address.to_string() : plan_.certificate_name,
                {"http/1.1"}, {.verify = !by_pin, .ca_file = plan_.ca_file, .pins = {}});
            if (!made) co_return made.error().text;
            tls_ = *made;
        }
        const bool secured = co_await connection_->secure(*tls_, kRemedy);
        if (!secured) co_return "gives no TLS connection: " + connection_->why();
        if (std::string why = check_pin(connection_->ssl()); !why.empty()) co_return why;
    }
    reply_ = std::make_unique<Reply>();
    client_ = stream::make_http_client("", {}, *reply_);
    co_return std::string();
}

asio::awaitable<ApiLane::Exchange> ApiLane::exchange(const ApiRequest& request) {
    stream::HttpRequestHead head{
        .method = request.body.empty() ? "GET" : "POST",
        .scheme = plan_.tls ? "https" : "http",
        .authority = matchers::bracketed(plan_.address.to_string()) +
                     (plan_.port == 443 ? "" : ":" + std::to_string(plan_.port)),
        .path = request.path,
        .fields = {{"User-Agent", with_version("steerdnsd", '/')},
                   {"Authorization", "Basic " + base64_of(std::string(plan_.key.text()) + ":" +
                                                          std::string(plan_.secret.text()))}},
        .is_last = false};
    if (!request.body.empty()) head.fields.push_back({"Content-Type", "application/json"});
    const std::span content(reinterpret_cast<const std::uint8_t*>(request.body.data()),
                            request.body.size());
    reply_->begin();
    connection_->until(Clock::now() + std::chrono::milliseconds(plan_.receive_timeout_ms));
    if (client_->ask(std::make_shared<const stream::HttpRequestHead>(std::move(head)), content) ==
        0)
        co_return Exchange{{.status = 0, .body = {}, .why = "it takes no more requests"}, true};
    const auto talk = co_await connection_->talk(*client_, [this] { return reply_->is_over(); });
    connection_->until(Clock::time_point::max());
    if (!reply_->is_over() && reply_->reply.why.empty()) {
        reply_->reply.why = "gives no reply: " + (connection_->why().empty()
                                                      ? std::string("it closed the connection")
                                                      : connection_->why());
    }
    const bool is_unheard = talk == fetch::Talk::ended && reply_->reply.status == 0;
    co_return Exchange{std::move(reply_->reply), is_unheard};
}

asio::awaitable<void> ApiLane::run(ApiRequest request) {
    const auto self = shared_from_this();
    for (const bool kept : {connection_ != nullptr, false}) {
        if (!kept) {
            std::string why = co_await open();
            if (!why.empty()) co_return end({.status = 0, .body = {}, .why = std::move(why)});
        }
        if (!done_) co_return end({.status = 0, .body = {}, .why = "it was stopped"});
        const Exchange exchanged = co_await exchange(request);
        // The router may have closed a kept connection before it got this request. A silent router gets no second one.
        if (kept && exchanged.is_unheard && done_) {
            connection_.reset();
            continue;
        }
        co_return end(exchanged.reply);
    }
}

}  // namespace steer::opnsense
