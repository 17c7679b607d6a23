#include "control/program/build/build_steps.h"

#include <functional>
#include <string_view>
#include <utility>

namespace steer::build {
namespace {

// Each part follows its length, so different lists never give the same text.
class Key {
  public:
    Key& operator<<(const std::string& part) {
        text_ += std::to_string(part.size()) + ":" + part;
        return *this;
    }
    Key& operator<<(std::uint64_t number) { return *this << std::to_string(number); }
    std::string take() { return std::move(text_); }

  private:
    std::string text_;
};

}  // namespace

std::string upstream_key(const config::UpstreamSettings& u) {
    Key key;
    key << static_cast<std::uint64_t>(u.scheme) << (u.address ? u.address->to_string() : "")
        << u.port;
    if (u.is_plain()) return key.take();
    const config::ReachSettings& reach = u.reach;
    key << u.host << u.path << u.pipeline << static_cast<std::uint64_t>(reach.family)
        << reach.so_mark << reach.device;
    if (reach.bootstrap)
        key << "bootstrap" << reach.bootstrap->address.to_string() << reach.bootstrap->port
            << reach.bootstrap->zone;
    if (reach.socks5) {
        key << "socks5" << reach.socks5->host << reach.socks5->port << reach.socks5->user
            << std::hash<std::string_view>()(reach.socks5->password);
    }
    key << static_cast<std::uint64_t>(u.idle_timeout.count()) << u.max_conns << u.min_conns
        << u.insecure_skip_verify << u.ca << u.early_data;
    if (u.fallback) key << "fallback" << static_cast<std::uint64_t>(*u.fallback);
    for (const auto& pin : u.pins)
        key << std::string(pin.begin(), pin.end());
    return key.take();
}

std::shared_ptr<const stream::UpstreamTarget> target_of(const config::UpstreamSettings& u,
                                                        std::uint16_t id) {
    auto target = std::make_shared<stream::UpstreamTarget>();
    target->id = id;
    target->name = u.tag.empty() ? u.addr : u.tag;
    target->scheme = u.scheme;
    target->fallback = u.fallback;
    target->pipeline = u.pipeline;
    target->host = u.host;
    target->path = u.path;
    target->port = u.port;
    target->address = u.address;
    if (u.reach.bootstrap)
        target->bootstrap = {u.reach.bootstrap->address, u.reach.bootstrap->port,
                             u.reach.bootstrap->zone};
    target->family = u.reach.family;
    if (const auto& proxy = u.reach.socks5)
        target->proxy = {proxy->host, proxy->port, proxy->user, proxy->password};
    target->idle_timeout_ms = static_cast<std::uint32_t>(u.idle_timeout.count());
    target->early_data = u.early_data;
    target->max_conns = u.max_conns;
    target->min_conns = u.min_conns;
    target->trust.verify = !u.insecure_skip_verify;
    target->trust.ca_file = u.ca;
    target->trust.pins.assign(u.pins.begin(), u.pins.end());
    target->mark = u.reach.so_mark;
    target->device = u.reach.device;
    return target;
}

}  // namespace steer::build
