/** Uses Broxy as a user's module does: one requirement brings everything. */
module com.example.consumer {
    requires io.broxy.core;
}
