// Expiry of certificates: our own, and those of upstreams.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/api/metrics/metrics.h"
#include "control/api/rpc/api_part.h"
#include "control/api/rpc/events.h"
#include "control/host/process/main_loop.h"
#include "control/observe/health/certificate_watch.h"
#include "control/parts.h"
#include "control/runtime/streams_part.h"
#include "control/runtime/workers_part.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;

constexpr std::uint64_t kCheckEveryMs = 60'000;
constexpr std::int64_t kSoonS = 21 * 86'400;

std::int64_t wall_s() {
    return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
}

class CertificatesPart final : public Part {
  public:
    static constexpr std::string_view kName = "certificates";
    using Needs = steer::Needs<MainLoop, Events, WorkersPart, StreamsPart, ApiPart>;
    explicit CertificatesPart(const Needs& needs)
        : main_(needs.get<MainLoop>()),
          events_(needs.get<Events>()),
          workers_(needs.get<WorkersPart>()),
          streams_(needs.get<StreamsPart>()),
          api_(needs.get<ApiPart>()) {}

    void poll() override {
        const std::uint64_t now_ms = main_.now_ms();
        if (checked_ms_ != 0 && now_ms - checked_ms_ < kCheckEveryMs) return;
        checked_ms_ = now_ms;
        for (const auto& sentence : watch_.check(ends(), wall_s()))
            events_.tell(ops::EventKind::certificate, ops::EventLevel::warning, sentence);
    }
    void add_status(object& all) override;
    void write_metrics(ops::MetricWriter& writer) override;
    void add_problems(Problems& problems) override {
        for (const CertificateEnd& one : ends()) {
            if (one.ends_s - wall_s() < kSoonS)
                problems.push_back({"certificates", certificate_sentence(one, wall_s())});
        }
    }

  private:
    // f(upstream, its report) for each whose certificate is known.
    template <class F>
    void for_upstreams(F f) const {
        for (const Upstream& upstream : workers_.snapshot().upstreams) {
            if (upstream.channel == Channel::none) continue;
            const auto report = streams_.threads().upstream(upstream.id);
            if (report && report->certificate_ends_s != 0) f(upstream, *report);
        }
    }
    [[nodiscard]] std::vector<CertificateEnd> ends() const;

    MainLoop& main_;
    Events& events_;
    WorkersPart& workers_;
    StreamsPart& streams_;
    ApiPart& api_;
    CertificateWatch watch_;
    std::uint64_t checked_ms_ = 0;  // 0: not yet
};

std::vector<CertificateEnd> CertificatesPart::ends() const {
    std::vector<CertificateEnd> all;
    for (const auto& c : streams_.threads().certificates())
        all.push_back({"the certificate " + c.file, "renew it", c.ends_s});
    if (const auto* const server = api_.server(); server != nullptr) {
        if (const auto c = server->certificate(); c.ends_s != 0)
            all.push_back({"the certificate " + c.file, "renew it", c.ends_s});
    }
    for_upstreams([&](const Upstream& upstream, const stream::UpstreamReport& report) {
        all.push_back({"the certificate of upstream " + upstream.name,
                       "tell its operator, or use another upstream", report.certificate_ends_s});
    });
    return all;
}

void CertificatesPart::add_status(object& all) {
    array certificates;
    for (const auto& c : streams_.threads().certificates()) {
        certificates.push_back(object{{"file", c.file},
                                      {"subject", c.subject},
                                      {"begins_s", c.begins_s},
                                      {"ends_s", c.ends_s}});
    }
    for_upstreams([&](const Upstream& upstream, const stream::UpstreamReport& report) {
        certificates.push_back(object{{"upstream", upstream.name},
                                      {"subject", report.certificate_subject},
                                      {"ends_s", report.certificate_ends_s}});
    });
    all["certificates"] = std::move(certificates);
}

void CertificatesPart::write_metrics(ops::MetricWriter& writer) {
    writer.family("steerdns_certificate_expiry_timestamp_seconds");
    for (const auto& c : streams_.threads().certificates())
        writer.sample({{"file", c.file}}, static_cast<std::uint64_t>(c.ends_s));
    for_upstreams([&](const Upstream& upstream, const stream::UpstreamReport& report) {
        writer.sample({{"upstream", upstream.name}},
                      static_cast<std::uint64_t>(report.certificate_ends_s));
    });
}

}  // namespace

Parts::Maker certificates_part() {
    return Parts::maker<CertificatesPart>();
}

}  // namespace steer
