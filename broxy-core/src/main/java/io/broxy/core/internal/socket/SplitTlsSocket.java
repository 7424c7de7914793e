package io.broxy.core.internal.socket;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketOption;
import java.util.Set;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * A TLS socket that consists of two others: {@link #tls} has the settings of TLS and the streams, {@link #below} has the
 * addresses and the options.
 *
 * <p>Threading: as a socket's.
 */
@SuppressWarnings("UnsynchronizedOverridesSynchronized") // the two sockets have locks of their own
abstract class SplitTlsSocket extends SSLSocket {

    /** The socket of TLS, which changes with the connect. */
    abstract SSLSocket tls();

    /** The socket that carries it. */
    abstract Socket below();

    // ------------------------------------------------------------------ TLS

    @Override
    public final String[] getSupportedCipherSuites() {
        return tls().getSupportedCipherSuites();
    }

    @Override
    public final String[] getEnabledCipherSuites() {
        return tls().getEnabledCipherSuites();
    }

    @Override
    public final void setEnabledCipherSuites(String[] suites) {
        tls().setEnabledCipherSuites(suites);
    }

    @Override
    public final String[] getSupportedProtocols() {
        return tls().getSupportedProtocols();
    }

    @Override
    public final String[] getEnabledProtocols() {
        return tls().getEnabledProtocols();
    }

    @Override
    public final void setEnabledProtocols(String[] protocols) {
        tls().setEnabledProtocols(protocols);
    }

    @Override
    public final SSLSession getSession() {
        return tls().getSession();
    }

    @Override
    public final SSLSession getHandshakeSession() {
        return tls().getHandshakeSession();
    }

    @Override
    public final void startHandshake() throws IOException {
        tls().startHandshake();
    }

    @Override
    public final void setUseClientMode(boolean mode) {
        tls().setUseClientMode(mode);
    }

    @Override
    public final boolean getUseClientMode() {
        return tls().getUseClientMode();
    }

    @Override
    public final void setNeedClientAuth(boolean need) {
        tls().setNeedClientAuth(need);
    }

    @Override
    public final boolean getNeedClientAuth() {
        return tls().getNeedClientAuth();
    }

    @Override
    public final void setWantClientAuth(boolean want) {
        tls().setWantClientAuth(want);
    }

    @Override
    public final boolean getWantClientAuth() {
        return tls().getWantClientAuth();
    }

    @Override
    public final void setEnableSessionCreation(boolean enable) {
        tls().setEnableSessionCreation(enable);
    }

    @Override
    public final boolean getEnableSessionCreation() {
        return tls().getEnableSessionCreation();
    }

    @Override
    public final SSLParameters getSSLParameters() {
        return tls().getSSLParameters();
    }

    @Override
    public final void setSSLParameters(SSLParameters parameters) {
        tls().setSSLParameters(parameters);
    }

    @Override
    public final String getApplicationProtocol() {
        return tls().getApplicationProtocol();
    }

    @Override
    public final String getHandshakeApplicationProtocol() {
        return tls().getHandshakeApplicationProtocol();
    }

    // ------------------------------------------------------------------ the streams

    @Override
    public final InputStream getInputStream() throws IOException {
        return tls().getInputStream();
    }

    @Override
    public final OutputStream getOutputStream() throws IOException {
        return tls().getOutputStream();
    }

    @Override
    public final void sendUrgentData(int data) throws IOException {
        tls().sendUrgentData(data);
    }

    @Override
    public final void setOOBInline(boolean on) throws SocketException {
        tls().setOOBInline(on);
    }

    @Override
    public final boolean getOOBInline() throws SocketException {
        return tls().getOOBInline();
    }

    @Override
    public final void shutdownInput() throws IOException {
        tls().shutdownInput();
    }

    @Override
    public final void shutdownOutput() throws IOException {
        tls().shutdownOutput();
    }

    @Override
    public final boolean isInputShutdown() {
        return tls().isInputShutdown();
    }

    @Override
    public final boolean isOutputShutdown() {
        return tls().isOutputShutdown();
    }

    @Override
    public final boolean isClosed() {
        return tls().isClosed() || below().isClosed();
    }

    // ------------------------------------------------------------------ addresses and options

    @Override
    public final @Nullable InetAddress getInetAddress() {
        return below().getInetAddress();
    }

    @Override
    public final InetAddress getLocalAddress() {
        return below().getLocalAddress();
    }

    @Override
    public final int getPort() {
        return below().getPort();
    }

    @Override
    public final int getLocalPort() {
        return below().getLocalPort();
    }

    @Override
    public final @Nullable SocketAddress getRemoteSocketAddress() {
        return below().getRemoteSocketAddress();
    }

    @Override
    public final SocketAddress getLocalSocketAddress() {
        return below().getLocalSocketAddress();
    }

    @Override
    public final boolean isConnected() {
        return below().isConnected();
    }

    @Override
    public final boolean isBound() {
        return below().isBound();
    }

    @Override
    public final void bind(SocketAddress local) throws IOException {
        below().bind(local);
    }

    @Override
    public final void setTcpNoDelay(boolean on) throws SocketException {
        below().setTcpNoDelay(on);
    }

    @Override
    public final boolean getTcpNoDelay() throws SocketException {
        return below().getTcpNoDelay();
    }

    @Override
    public final void setSoLinger(boolean on, int seconds) throws SocketException {
        below().setSoLinger(on, seconds);
    }

    @Override
    public final int getSoLinger() throws SocketException {
        return below().getSoLinger();
    }

    @Override
    public final void setSoTimeout(int millis) throws SocketException {
        below().setSoTimeout(millis);
    }

    @Override
    public final int getSoTimeout() throws SocketException {
        return below().getSoTimeout();
    }

    @Override
    public final void setSendBufferSize(int size) throws SocketException {
        below().setSendBufferSize(size);
    }

    @Override
    public final int getSendBufferSize() throws SocketException {
        return below().getSendBufferSize();
    }

    @Override
    public final void setReceiveBufferSize(int size) throws SocketException {
        below().setReceiveBufferSize(size);
    }

    @Override
    public final int getReceiveBufferSize() throws SocketException {
        return below().getReceiveBufferSize();
    }

    @Override
    public final void setKeepAlive(boolean on) throws SocketException {
        below().setKeepAlive(on);
    }

    @Override
    public final boolean getKeepAlive() throws SocketException {
        return below().getKeepAlive();
    }

    @Override
    public final void setTrafficClass(int trafficClass) throws SocketException {
        below().setTrafficClass(trafficClass);
    }

    @Override
    public final int getTrafficClass() throws SocketException {
        return below().getTrafficClass();
    }

    @Override
    public final void setReuseAddress(boolean on) throws SocketException {
        below().setReuseAddress(on);
    }

    @Override
    public final boolean getReuseAddress() throws SocketException {
        return below().getReuseAddress();
    }

    @Override
    public final void setPerformancePreferences(int connectionTime, int latency, int bandwidth) {
        below().setPerformancePreferences(connectionTime, latency, bandwidth);
    }

    @Override
    public final Set<SocketOption<?>> supportedOptions() {
        return below().supportedOptions();
    }

    @Override
    public final <T> Socket setOption(SocketOption<T> name, T value) throws IOException {
        below().setOption(name, value);
        return this;
    }

    @Override
    public final <T> T getOption(SocketOption<T> name) throws IOException {
        return below().getOption(name);
    }
}
