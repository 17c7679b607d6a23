#include "control/program/reload/judge.h"

#include <algorithm>
#include <utility>

namespace steer {
namespace {

template <class Section, class Value>
void compare(std::vector<std::string>& out, const char* name, const Section& before,
             const Section& after, Value Section::*member) {
    if (!(before.*member == after.*member)) out.emplace_back(name);
}

// Another certificate is taken up while serving (StreamThreads::renew).
bool is_same(const std::optional<build::StreamService>& a,
             const std::optional<build::StreamService>& b) {
    if (!a || !b) return a.has_value() == b.has_value();
    return a->protocol == b->protocol && a->limits == b->limits &&
           a->tls.cert.empty() == b->tls.cert.empty() && a->proxies == b->proxies &&
           a->http == b->http;
}

bool is_listed(const std::vector<build::Listener>& all, const build::Listener& l) {
    return std::any_of(all.begin(), all.end(), [&](const build::Listener& other) {
        return other.endpoint == l.endpoint && other.udp == l.udp && is_same(other.tcp, l.tcp) &&
               is_same(other.quic, l.quic);
    });
}

std::string named(const build::Listener& l) {
    std::string all;
    for (const auto& [is_there, name] :
         {std::pair(l.udp, "udp"), {l.tcp.has_value(), "tcp"}, {l.quic.has_value(), "quic"}}) {
        if (is_there) all.append(all.empty() ? "" : " and ").append(name);
    }
    return all + " on " + l.endpoint.to_string();
}

}  // namespace

std::vector<std::string> need_restart(const config::Settings& started_with,
                                      const config::Settings& now) {
    std::vector<std::string> out;
    using D = config::Dataplane;
    const auto dataplane = [&](const char* name, auto member) {
        compare(out, name, started_with.dataplane, now.dataplane, member);
    };
    dataplane("dataplane.ports", &D::ports);
    dataplane("dataplane.workers", &D::workers);
    dataplane("dataplane.workers", &D::cores);
    dataplane("dataplane.memory", &D::memory_bytes);
    dataplane("dataplane.idle", &D::idle);
    dataplane("dataplane.spread", &D::spread);
    dataplane("dataplane.reply", &D::reply);
    dataplane("dataplane.upstream_ports", &D::first_upstream_port);
    dataplane("dataplane.upstream_ports", &D::last_upstream_port);
    dataplane("dataplane.random_case", &D::random_case);
    dataplane("dataplane.max_parked", &D::max_parked);
    dataplane("dataplane.max_in_flight", &D::max_in_flight);
    dataplane("dataplane.max_parked_per_client", &D::max_parked_per_client);
    dataplane("dataplane.max_per_suffix", &D::suffix_percent);
    dataplane("dataplane.over_quota", &D::over_quota);
    dataplane("dataplane.limits_memory", &D::limits_bytes);
    using C = config::Control;
    const auto control = [&](const char* name, auto member) {
        compare(out, name, started_with.control, now.control, member);
    };
    control("control.socket", &C::socket);
    control("control.recursion", &C::recursion);
    control("control.roles", &C::roles);
    control("control.http", &C::http);
    control("control.user", &C::user);
    control("control.findings", &C::findings);
    control("control.leases", &C::leases);
    control("control.router_lists", &C::router_lists);
    control("control.stream_threads", &C::stream_threads);
    control("control.ready_nat64", &C::ready_nat64);
    control("control.ready_upstreams", &C::ready_upstreams);
    control("control.ready_overload", &C::ready_overload);
    control("control.shutdown_delay", &C::shutdown_delay);
    control("control.seccomp", &C::seccomp);
    control("control.landlock", &C::landlock);
    compare(out, "quic.secret_file", started_with.quic, now.quic, &config::QuicSettings::secret);
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

std::vector<std::string> need_restart(const std::vector<build::Listener>& started_with,
                                      const std::vector<build::Listener>& now) {
    std::vector<std::string> out;
    for (const auto& l : now) {
        if (!is_listed(started_with, l)) out.push_back("to answer " + named(l));
    }
    for (const auto& l : started_with) {
        if (!is_listed(now, l)) out.push_back("no longer to answer " + named(l));
    }
    return out;
}

}  // namespace steer
