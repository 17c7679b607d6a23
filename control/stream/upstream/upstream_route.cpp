#include "control/stream/upstream/upstream_route.h"

namespace steer::stream {

UpstreamRoute::UpstreamRoute(StreamContext& context, const UpstreamTarget& target,
                             const std::function<void()>& on_end)
    : port_(target.proxy ? target.proxy->port : target.port) {
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

std::optional<ConnectPath> UpstreamRoute::find() {
    near_->need();
    if (behind_ != nullptr) behind_->need();
    if (near_->addresses().empty() || (behind_ != nullptr && behind_->addresses().empty()))
        return std::nullopt;
    ConnectPath path{near_->addresses().front(), port_, std::nullopt};
    if (behind_ != nullptr) path.behind = behind_->addresses().front();
    return path;
}

std::optional<std::string> UpstreamRoute::trouble() const {
    for (const UpstreamName* name : {near_.get(), behind_.get()}) {
        if (name != nullptr && name->addresses().empty() && !name->is_looking())
            return name->trouble();
    }
    return std::nullopt;
}

void UpstreamRoute::works(const ConnectPath& path) {
    near_->works(path.address);
    if (path.behind) behind_->works(*path.behind);
}

void UpstreamRoute::fails(const ConnectPath& path) {
    near_->fails(path.address);
    if (path.behind) behind_->fails(*path.behind);
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
