#include "control/streams/upstream/upstream_route.h"

#include <algorithm>

namespace steer::stream {

UpstreamRoute::UpstreamRoute(StreamContext& context, const UpstreamTarget& target,
                             const std::function<void()>& on_end)
    : context_(context), port_(target.proxy ? target.proxy->port : target.port) {
    const UpstreamName::Question upstream{
        target.address ? target.address->to_string() : target.host, target.bootstrap, target.family,
        target.mark, target.device};
    if (!target.proxy) {
        near_ = std::make_shared<UpstreamName>(context, upstream, on_end);
        return;
    }
    UpstreamName::Question proxy = upstream;
    proxy.name = target.proxy->host;
    proxy.family = AddressFamily::any;
    near_ = std::make_shared<UpstreamName>(context, proxy, on_end);
    if (target.address || target.bootstrap)
        behind_ = std::make_shared<UpstreamName>(context, upstream, on_end);
}

// Diagonal by diagonal, so that the first paths share no address.
void UpstreamRoute::follow_names() {
    std::vector<ConnectPath> now;
    const std::vector<IpAddress>& near = near_->addresses();
    if (behind_ == nullptr) {
        for (const IpAddress& address : near)
            now.push_back({address, port_, std::nullopt});
    } else {
        const std::vector<IpAddress>& behind = behind_->addresses();
        const std::size_t across = std::max(near.size(), behind.size());
        for (std::size_t i = 0; i < across * across && now.size() < kMaxPaths; ++i) {
            const std::size_t row = i % across, column = (i + i / across) % across;
            if (row < near.size() && column < behind.size())
                now.push_back({near[row], port_, behind[column]});
        }
    }
    std::erase_if(paths_, [&](const Path& known) {
        return std::find(now.begin(), now.end(), known.path) == now.end();
    });
    for (const ConnectPath& path : now) {
        if (place_of(path) == paths_.end()) paths_.push_back({path});
    }
}

std::vector<UpstreamRoute::Path>::iterator UpstreamRoute::place_of(const ConnectPath& path) {
    return std::find_if(paths_.begin(), paths_.end(),
                        [&](const Path& known) { return known.path == path; });
}

std::optional<ConnectPath> UpstreamRoute::find() {
    near_->need();
    if (behind_ != nullptr) behind_->need();
    follow_names();
    if (paths_.empty()) return std::nullopt;
    return paths_.front().path;
}

bool UpstreamRoute::has_untried() {
    follow_names();
    return std::any_of(paths_.begin(), paths_.end(),
                       [](const Path& known) { return !known.failed; });
}

std::optional<std::string> UpstreamRoute::error() const {
    for (const UpstreamName* name : {near_.get(), behind_.get()}) {
        if (name != nullptr && name->addresses().empty() && !name->is_resolving())
            return name->error();
    }
    return std::nullopt;
}

void UpstreamRoute::works(const ConnectPath& path) {
    begin_again();
    const auto at = place_of(path);
    if (at != paths_.end()) std::rotate(paths_.begin(), at, at + 1);
}

void UpstreamRoute::fails(const ConnectPath& path) {
    const std::uint64_t now = context_.now_ms();
    if (now - failed_ms_ >= kFailureMs) begin_again();
    failed_ms_ = now;
    const auto at = place_of(path);
    if (at == paths_.end()) return;
    at->failed = true;
    std::rotate(at, at + 1, paths_.end());
}

void UpstreamRoute::falls_silent(const ConnectPath& path) {
    const auto at = place_of(path);
    if (at != paths_.end()) std::rotate(at, at + 1, paths_.end());
}

void UpstreamRoute::begin_again() {
    for (Path& known : paths_)
        known.failed = false;
}

void UpstreamRoute::network_changed() {
    near_->network_changed();
    if (behind_ != nullptr) behind_->network_changed();
}

void UpstreamRoute::close() {
    near_->close();
    if (behind_ != nullptr) behind_->close();
}

}  // namespace steer::stream
