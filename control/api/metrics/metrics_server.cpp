#include "control/api/metrics/metrics_server.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <string_view>
#include <utility>

#include "control/api/http/http_server.h"

namespace steer::ops {
namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace {

constexpr std::chrono::seconds kPatience{15};
constexpr HttpLimits kMetricsLimits{.connections = kMetricsSessions,
                                    .content = 1024,
                                    .too_long = "the content is longer than 1 KiB",
                                    .request = kPatience,
                                    .idle = kPatience};

bool wants_all(std::string_view query) {
    while (!query.empty()) {
        const auto end = query.find('&');
        const auto one = query.substr(0, end);
        if (one.substr(0, one.find('=')) == "verbose") return true;
        query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    }
    return false;
}

Reply metrics(const HttpContent& content, const HttpRequest& request, std::string_view /*query*/) {
    const MetricsFormat format = metrics_format(view_of(request[http::field::accept]));
    return {.type = content_type(format),
            .body = metrics_text(content.metrics, format),
            .fields = "vary: Accept\r\n"};
}

template <auto Checks>
Reply health(const HttpContent& content, const HttpRequest&, std::string_view query) {
    const HealthChecks checks = (content.*Checks)();
    return {.status = all_good(checks) ? 200U : 503U,
            .body = health_text(checks, wants_all(query))};
}

struct Page {
    std::string_view path;
    Reply (*make)(const HttpContent&, const HttpRequest&, std::string_view query);
};
constexpr Page kPages[] = {{"/metrics", metrics},
                           {"/livez", health<&HttpContent::live>},
                           {"/readyz", health<&HttpContent::ready>},
                           {"/healthz", health<&HttpContent::ready>}};

Reply respond(const HttpRequest& request, const HttpContent& content) {
    const auto target = view_of(request.target());
    const auto mark = std::min(target.find('?'), target.size());
    const auto* const page = std::find_if(std::begin(kPages), std::end(kPages), [&](const Page& p) {
        return p.path == target.substr(0, mark);
    });
    if (page == std::end(kPages))
        return refusal(404, "there are /metrics, /livez, /readyz and /healthz");
    if (request.method() != http::verb::get && request.method() != http::verb::head)
        return refusal(405, "only GET and HEAD", "allow: GET, HEAD\r\n");
    return page->make(content, request, target.substr(std::min(mark + 1, target.size())));
}

}  // namespace

struct MetricsServer::Impl final : HttpServer {
    Impl(asio::io_context& io, HttpContent what)
        : HttpServer(io, kMetricsLimits), content(std::move(what)) {}
    asio::awaitable<Next> answer(const ConnectionPtr& connection) override {
        connection->reply = respond(connection->request, content);
        co_return Next::reply;
    }
    const HttpContent content;
};

MetricsServer::MetricsServer(asio::io_context& io, HttpContent content)
    : impl_(std::make_shared<Impl>(io, std::move(content))) {}
MetricsServer::~MetricsServer() {
    close();
}

Result<void> MetricsServer::listen(const IpAddress& address, std::uint16_t port) {
    const auto error = impl_->listen(address, port);
    if (!error) return {};
    return Error{"HTTP cannot be served on " + address.to_string() + " port " +
                 std::to_string(port) + ": " + error.message() + "; choose another control.http"};
}

std::uint16_t MetricsServer::port() const {
    return impl_->port();
}

void MetricsServer::close() {
    impl_->close();
}

}  // namespace steer::ops
